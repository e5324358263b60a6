package dex

import (
	"slices"

	"github.com/besra-hunt/besra/yara/module"
	"github.com/besra-hunt/besra/yara/module/column"
)

type kinds = []module.Kind

func itself(f *file) (*file, bool) { return f, true }

var root = slices.Concat(namedColumns, rawColumns, functionColumns,
	column.Constants[*file]("A magic number, as header.magic is under the LibYARA dialect.", magics),
	column.Constants[*file]("A value of header.endian_tag.",
		map[string]int64{"ENDIAN_CONSTANT": endianConstant, "REVERSE_ENDIAN_CONSTANT": reverseEndianConstant}),
	column.Constants[*file]("What stands for no index.", map[string]int64{"NO_INDEX": noIndex}),
	column.Constants[*file]("A flag of access_flags.", accessFlags),
	column.Constants[*file]("A kind of section.", typeCodes),
)

// namedColumns are YARA-X's.
var namedColumns = []column.Column[*file]{
	column.Bool("is_dex", "Whether the target is a Dalvik executable.", func(*file) bool { return true }),
	column.Sub("header", "The header.", "DexHeader", headerColumns, itself),
	column.Texts("strings", "All strings.", (*file).stringList),
	column.Texts("types", "All types, as descriptors such as \"Ljava/lang/String;\".", (*file).typeList),
	column.Rows("protos", "All prototypes of methods.", "ProtoItem", protoColumns, (*file).protoList),
	column.Rows("fields", "All fields that are referred to.", "FieldItem", fieldColumns, (*file).fieldList),
	column.Rows("methods", "All methods that are referred to.", "MethodItem", methodColumns, (*file).methodList),
	column.Rows("class_defs", "The classes that the file defines.", "ClassItem", classColumns, (*file).classList),
	column.Sub("map_list", "The map of the file's sections.", "MapList", mapColumns, itself),
}

// rawColumns are libyara's.
var rawColumns = []column.Column[*file]{
	column.Rows("string_ids", "The table of strings.", "StringID", stringIDColumns, func(f *file) []rawString { return f.tableList().strings }),
	column.Rows("type_ids", "The table of types.", "TypeID", typeIDColumns, func(f *file) []uint32 { return f.tableList().types }),
	column.Rows("proto_ids", "The table of prototypes.", "ProtoID", protoIDColumns, func(f *file) [][]byte { return f.tableList().protos }),
	column.Rows("field_ids", "The table of fields.", "FieldID", fieldIDColumns, func(f *file) [][]byte { return f.tableList().fields }),
	column.Rows("method_ids", "The table of methods.", "MethodID", methodIDColumns, func(f *file) [][]byte { return f.tableList().methods }),
	column.Rows("class_data_item", "The number of members of each class that has some.", "ClassData", dataColumns, func(f *file) [][4]uint32 { return f.memberList().data }),
	column.OptInt("number_of_fields", "The number of fields of all classes.", func(f *file) (int, bool) { return len(f.memberList().fields), f.memberList().whole }),
	column.Rows("field", "The fields of all classes.", "Field", memberFieldColumns, func(f *file) []member { return f.memberList().fields }),
	column.OptInt("number_of_methods", "The number of methods of all classes.", func(f *file) (int, bool) { return len(f.memberList().methods), f.memberList().whole }),
	column.Rows("method", "The methods of all classes.", "Method", memberMethodColumns, func(f *file) []member { return f.memberList().methods }),
}

var functionColumns = []column.Column[*file]{
	column.Func[*file]("checksum", "The Adler-32 checksum of the file; compare header.checksum.", module.Integer,
		column.Overload{Call: checksum}),
	column.Func[*file]("signature", "The SHA-1 digest of the file in hexadecimal digits; compare header.signature.", module.String,
		column.Overload{Call: signature}),
	column.Func[*file]("contains_string", "Whether the file has the string.", module.Bool,
		column.Overload{Params: kinds{module.String}, Call: contains((*file).stringNames)}),
	column.Func[*file]("contains_method", "Whether the file refers to a method with the name.", module.Bool,
		column.Overload{Params: kinds{module.String}, Call: contains((*file).methodNames)}),
	column.Func[*file]("contains_class", "Whether the file defines the class.", module.Bool,
		column.Overload{Params: kinds{module.String}, Call: contains((*file).classNames)}),
	column.Func[*file]("has_method", "1 where a class has a method with the name, or a method of the class, else 0.", module.Integer,
		column.Overload{Params: kinds{module.String}, Call: hasMethod},
		column.Overload{Params: kinds{module.String, module.String}, Call: hasMethod},
		column.Overload{Params: kinds{module.Regexp}, Call: hasMethod},
		column.Overload{Params: kinds{module.Regexp, module.Regexp}, Call: hasMethod}),
	column.Func[*file]("has_class", "1 where a class with methods has the name, else 0.", module.Integer,
		column.Overload{Params: kinds{module.String}, Call: hasClass},
		column.Overload{Params: kinds{module.Regexp}, Call: hasClass}),
}

// magics are the bytes "dex\n", the version and a NUL.
var magics = map[string]int64{
	"DEX_FILE_MAGIC_035": 0x6465780a_30333500,
	"DEX_FILE_MAGIC_036": 0x6465780a_30333600,
	"DEX_FILE_MAGIC_037": 0x6465780a_30333700,
	"DEX_FILE_MAGIC_038": 0x6465780a_30333800,
	"DEX_FILE_MAGIC_039": 0x6465780a_30333900,
}

// accessFlags are those of
// https://source.android.com/docs/core/runtime/dex-format#access-flags.
var accessFlags = map[string]int64{
	"ACC_PUBLIC":                0x1,
	"ACC_PRIVATE":               0x2,
	"ACC_PROTECTED":             0x4,
	"ACC_STATIC":                0x8,
	"ACC_FINAL":                 0x10,
	"ACC_SYNCHRONIZED":          0x20,
	"ACC_VOLATILE":              0x40,
	"ACC_BRIDGE":                0x40,
	"ACC_TRANSIENT":             0x80,
	"ACC_VARARGS":               0x80,
	"ACC_NATIVE":                0x100,
	"ACC_INTERFACE":             0x200,
	"ACC_ABSTRACT":              0x400,
	"ACC_STRICT":                0x800,
	"ACC_SYNTHETIC":             0x1000,
	"ACC_ANNOTATION":            0x2000,
	"ACC_ENUM":                  0x4000,
	"ACC_CONSTRUCTOR":           0x10000,
	"ACC_DECLARED_SYNCHRONIZED": 0x20000,
}

// typeCodes are those of
// https://source.android.com/docs/core/runtime/dex-format#type-codes.
var typeCodes = map[string]int64{
	"TYPE_HEADER_ITEM":                0x0000,
	"TYPE_STRING_ID_ITEM":             0x0001,
	"TYPE_TYPE_ID_ITEM":               0x0002,
	"TYPE_PROTO_ID_ITEM":              0x0003,
	"TYPE_FIELD_ID_ITEM":              0x0004,
	"TYPE_METHOD_ID_ITEM":             0x0005,
	"TYPE_CLASS_DEF_ITEM":             0x0006,
	"TYPE_CALL_SITE_ID_ITEM":          0x0007,
	"TYPE_METHOD_HANDLE_ITEM":         0x0008,
	"TYPE_MAP_LIST":                   0x1000,
	"TYPE_TYPE_LIST":                  0x1001,
	"TYPE_ANNOTATION_SET_REF_LIST":    0x1002,
	"TYPE_ANNOTATION_SET_ITEM":        0x1003,
	"TYPE_CLASS_DATA_ITEM":            0x2000,
	"TYPE_CODE_ITEM":                  0x2001,
	"TYPE_STRING_DATA_ITEM":           0x2002,
	"TYPE_DEBUG_INFO_ITEM":            0x2003,
	"TYPE_ANNOTATION_ITEM":            0x2004,
	"TYPE_ENCODED_ARRAY_ITEM":         0x2005,
	"TYPE_ANNOTATIONS_DIRECTORY_ITEM": 0x2006,
	"TYPE_HIDDENAPI_CLASS_DATA_ITEM":  0xf000,
}
