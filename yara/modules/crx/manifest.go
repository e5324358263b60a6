package crx

import (
	"encoding/json"
	"hash/crc32"
	"strings"
)

// maybe is a string that a manifest may lack.
type maybe struct {
	value string
	ok    bool
}

// manifest is the extension's description of itself, with the messages of its
// default language. It is empty where it cannot be read.
type manifest struct {
	version, name, description maybe
	minimumChrome, homepage    maybe
	permissions, hosts         []string
	optional, optionalHosts    []string
	messages                   map[string]string
	hasMessages                bool
}

const defaultLanguage = "en"

// loadManifest reads the manifest once.
func (p *extension) loadManifest() *manifest {
	if p.manifest == nil {
		p.manifest = p.readManifest()
	}
	return p.manifest
}

func (p *extension) readManifest() *manifest {
	d := &decoder{members: p.readJSON("manifest.json")}
	if d.members == nil {
		return new(manifest)
	}
	m := &manifest{
		version: d.text("version"), name: d.text("name"), description: d.text("description"),
		minimumChrome: d.text("minimum_chrome_version"), homepage: d.text("homepage_url"),
		permissions: d.texts("permissions"), hosts: d.texts("host_permissions"),
		optional: d.texts("optional_permissions"), optionalHosts: d.texts("optional_host_permissions"),
	}
	language := d.text("default_locale")
	if d.bad {
		return new(manifest)
	}
	if !language.ok {
		language.value = defaultLanguage
	}
	m.messages, m.hasMessages = p.readMessages(language.value)
	return m
}

// readJSON reads an object in the archive; nil where there is none.
func (p *extension) readJSON(name string) map[string]json.RawMessage {
	e := p.archive.Find(name)
	if e == nil {
		return nil
	}
	data, ok := p.archive.Read(e, maxJSON)
	if !ok || crc32.ChecksumIEEE(data) != e.CRC32 {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil {
		return nil
	}
	return members
}

// readMessages reads what names stand for in a language.
func (p *extension) readMessages(language string) (map[string]string, bool) {
	members := p.readJSON("_locales/" + language + "/messages.json")
	if members == nil {
		return nil, false
	}
	messages := make(map[string]string, len(members))
	for name, value := range members {
		d := &decoder{}
		if json.Unmarshal(value, &d.members) != nil {
			return nil, false
		}
		text := d.text("message")
		if !text.ok {
			return nil, false
		}
		messages[name] = text.value
	}
	return messages, true
}

// resolve is the message that s stands for, or s.
func (m *manifest) resolve(s maybe) maybe {
	key, ok := strings.CutPrefix(s.value, "__MSG_")
	key, ok2 := strings.CutSuffix(key, "__")
	if text, found := m.messages[key]; found && ok && ok2 {
		return maybe{text, true}
	}
	return s
}

// raw is s where there are messages.
func (m *manifest) raw(s maybe) maybe {
	if !m.hasMessages {
		return maybe{}
	}
	return s
}

// decoder takes members of an object; bad is set by one of another type.
type decoder struct {
	members map[string]json.RawMessage
	bad     bool
}

func (d *decoder) text(name string) maybe {
	var s *string
	if raw, ok := d.members[name]; ok && json.Unmarshal(raw, &s) != nil {
		d.bad = true
	}
	if s == nil {
		return maybe{}
	}
	return maybe{*s, true}
}

// texts reads a list of strings, none of which may be null.
func (d *decoder) texts(name string) []string {
	raw, ok := d.members[name]
	if !ok {
		return nil
	}
	var list []*string
	if json.Unmarshal(raw, &list) != nil || list == nil {
		d.bad = true
	}
	texts := make([]string, 0, len(list))
	for _, s := range list {
		if s == nil {
			d.bad = true
			continue
		}
		texts = append(texts, *s)
	}
	return texts
}
