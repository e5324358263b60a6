package magic

// signature is bytes at an offset that a format has. "?" stands for any byte. A
// kind without a MIME type has that of text, or of data.
type signature struct {
	at    int
	bytes string
	kind  kind
}

func (s *signature) matches(b []byte) bool {
	if len(b) < s.at+len(s.bytes) {
		return false
	}
	for i := range len(s.bytes) {
		if c := s.bytes[i]; c != '?' && c != b[s.at+i] {
			return false
		}
	}
	return true
}

func signed(b []byte) (k kind, ok bool) {
	for _, list := range [][]signature{formats, media} {
		for i := range list {
			if s := &list[i]; s.matches(b) {
				return s.describe(b), true
			}
		}
	}
	return k, false
}

// describe adds what is next to a signature, and a MIME type where libmagic has
// none of its own: that of text or of data.
func (s *signature) describe(b []byte) kind {
	k := s.kind
	switch {
	case k.mime == "application/pdf" && len(b) >= 8 && b[6] == '.':
		k.text += ", version " + string(b[5:8])
	case k.mime == "" && encodingOf(b) != "":
		k.mime = "text/plain"
	case k.mime == "":
		k.mime = octets
	}
	return k
}
