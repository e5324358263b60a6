package lnk

import (
	"slices"

	"github.com/besra-hunt/besra/yara/module/column"
)

type link = *shortcut

var root = slices.Concat(fields, []column.Column[link]{
	column.Sub("ShowCommand", "How the window of a program is shown.", "ShowCommand", showCommands, absent),
	column.Sub("DriveType", "Kinds of drives.", "DriveType", driveTypes, absent),
	column.Sub("ShellItemType", "Kinds of items of a target's path.", "ShellItemType", itemTypes, absent),
}, column.Constants[link]("A flag of file_attributes.", map[string]int64{
	"FILE_ATTRIBUTE_READONLY":            0x0001,
	"FILE_ATTRIBUTE_HIDDEN":              0x0002,
	"FILE_ATTRIBUTE_SYSTEM":              0x0004,
	"RESERVED_1":                         0x0008,
	"FILE_ATTRIBUTE_DIRECTORY":           0x0010,
	"FILE_ATTRIBUTE_ARCHIVE":             0x0020,
	"RESERVED_2":                         0x0040,
	"FILE_ATTRIBUTE_NORMAL":              0x0080,
	"FILE_ATTRIBUTE_TEMPORARY":           0x0100,
	"FILE_ATTRIBUTE_SPARSE_FILE":         0x0200,
	"FILE_ATTRIBUTE_REPARSE_POINT":       0x0400,
	"FILE_ATTRIBUTE_COMPRESSED":          0x0800,
	"FILE_ATTRIBUTE_OFFLINE":             0x1000,
	"FILE_ATTRIBUTE_NOT_CONTENT_INDEXED": 0x2000,
	"FILE_ATTRIBUTE_ENCRYPTED":           0x4000,
}))

func absent(link) (link, bool) { return nil, false }

var showCommands = column.Constants[link]("A value of show_command.", map[string]int64{
	"NORMAL": 1, "MAXIMIZED": 3, "MIN_NO_ACTIVE": 7,
})

var driveTypes = column.Constants[link]("A value of drive_type.", map[string]int64{
	"UNKNOWN": 0, "NO_ROOT_DIR": 1, "REMOVABLE": 2, "FIXED": 3, "REMOTE": 4, "CDROM": 5, "RAMDISK": 6,
})

var itemTypes = column.Constants[link]("A value of target_id_list.item_type.", map[string]int64{
	"CONTROL_PANEL_CPL":      controlPanelCPL,
	"CONTROL_PANEL_CATEGORY": controlPanelCategory,
	"ROOT_FOLDER":            rootFolder,
	"VOLUME":                 volume,
	"FILE_ENTRY":             fileEntry,
	"NETWORK_LOCATION":       networkLocation,
	"COMPRESSED_FOLDER":      compressedFolder,
	"URI":                    uri,
	"CONTROL_PANEL":          controlPanel,
	"PRINTERS":               printers,
	"COMMON_PLACES_FOLDER":   commonPlaces,
	"USERS_FILES_FOLDER":     usersFiles,
})

func optText(name, doc string, get func(link) maybe[string]) column.Column[link] {
	return column.OptText(name, doc, func(l link) (string, bool) { return get(l).value, get(l).ok })
}

func moment(name, doc string, get func(link) uint64) column.Column[link] {
	return column.OptInt(name, doc, func(l link) (uint64, bool) { return unixTime(get(l)) })
}

// unixTime makes seconds since 1970 of a FILETIME, which counts 100
// nanoseconds since 1601. Times before 1970 are left out.
func unixTime(filetime uint64) (uint64, bool) {
	const perSecond, from1601to1970 = 10_000_000, 11_644_473_600
	s := filetime / perSecond
	return s - from1601to1970, s >= from1601to1970
}

var fields = []column.Column[link]{
	column.Bool("is_lnk", "Whether the target is a Windows shortcut.", func(link) bool { return true }),
	optText("name", "The description that users see.", func(l link) maybe[string] { return l.name }),
	moment("creation_time", "When the shortcut's target was created, in seconds since 1970.", func(l link) uint64 { return l.created }),
	moment("access_time", "When the shortcut's target was last accessed, in seconds since 1970.", func(l link) uint64 { return l.accessed }),
	moment("write_time", "When the shortcut's target was last written, in seconds since 1970.", func(l link) uint64 { return l.written }),
	column.Int("file_size", "The size of the shortcut's target in bytes, modulo 2^32.", func(l link) uint32 { return l.fileSize }),
	column.Int("file_attributes", "Flags of the shortcut's target, a sum of FILE_ATTRIBUTE_*.", func(l link) uint32 { return l.attributes }),
	optText("icon_location", "The file with the icon.", func(l link) maybe[string] { return l.icon }),
	column.Int("icon_index", "Which of the icons in icon_location it is.", func(l link) uint32 { return l.iconIndex }),
	column.OptInt("show_command", "How the window is shown, one of ShowCommand.", func(l link) (uint32, bool) { return l.show, l.show < 1<<31 }),
	column.OptInt("drive_type", "The kind of drive that the shortcut's target is on, one of DriveType.", func(l link) (uint32, bool) { return l.drive.value, l.drive.ok }),
	column.OptInt("drive_serial_number", "The serial number of that drive.", func(l link) (uint32, bool) { return l.serial.value, l.serial.ok }),
	optText("volume_label", "The label of that drive.", func(l link) maybe[string] { return l.label }),
	optText("local_base_path", "The path of the shortcut's target, without common_path_suffix.", func(l link) maybe[string] { return l.basePath }),
	optText("common_path_suffix", "The end of the path of the shortcut's target.", func(l link) maybe[string] { return l.suffix }),
	optText("relative_path", "The path of the shortcut's target from the shortcut on.", func(l link) maybe[string] { return l.relativePath }),
	optText("working_dir", "The directory that the shortcut's target is started in.", func(l link) maybe[string] { return l.workingDir }),
	optText("cmd_line_args", "The arguments that the shortcut's target is started with.", func(l link) maybe[string] { return l.arguments }),
	column.OptInt("overlay_size", "The number of bytes after the shortcut.", func(l link) (int, bool) { return l.overlayLength.value, l.overlayLength.ok }),
	column.OptInt("overlay_offset", "The offset of the bytes after the shortcut; undefined where there are none.", func(l link) (int, bool) { return l.overlayOffset.value, l.overlayOffset.ok }),
	column.Sub("tracker_data", "What finds the shortcut's target after it was moved.", "TrackerData", trackerColumns, func(l link) (tracker, bool) { return l.tracker.value, l.tracker.ok }),
	column.Rows("target_id_list", "The path of the shortcut's target, item by item.", "ShellItem", itemColumns, func(l link) []item { return l.items }),
}

var trackerColumns = []column.Column[tracker]{
	column.Int("version", "The version of the block.", func(t tracker) uint32 { return t.version }),
	column.Text("machine_id", "The NetBIOS name of the machine.", func(t tracker) string { return t.machine }),
	column.Text("droid_volume_id", "The volume's identifier.", func(t tracker) string { return t.ids[0] }),
	column.Text("droid_file_id", "The file's identifier.", func(t tracker) string { return t.ids[1] }),
	column.Text("droid_birth_volume_id", "The identifier of the volume when the shortcut was made.", func(t tracker) string { return t.ids[2] }),
	column.Text("droid_birth_file_id", "The identifier of the file when the shortcut was made.", func(t tracker) string { return t.ids[3] }),
}

var itemColumns = []column.Column[item]{
	column.Int("item_type", "The kind, one of ShellItemType; another number is the class of the item.", item.kind),
	column.Text("data", "The bytes after the class.", func(i item) string { return string(i[1:]) }),
	column.OptText("cpl_file_path", "The file of a control panel, of CONTROL_PANEL_CPL.", item.cplPath),
	column.OptText("root_folder_id", "The folder's identifier, of ROOT_FOLDER.", item.rootFolderID),
	column.OptText("volume_name", "The volume's name, of VOLUME.", item.volumeName),
	column.OptText("volume_id", "The volume's identifier, of VOLUME.", item.volumeID),
	column.OptText("file_entry_name", "The name of the file or directory, of FILE_ENTRY.", item.fileName),
	column.OptText("network_location", "The network path, of NETWORK_LOCATION.", item.location),
}
