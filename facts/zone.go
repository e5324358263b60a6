package facts

import (
	"bytes"
	"io"
)

// parseZone reads the note that Windows keeps beside a downloaded file, the
// stream Zone.Identifier, and returns the URL of the file; where only the page
// that led there is known, that. It is empty where neither is.
func parseZone(r io.Reader) (string, error) {
	host, referrer := "", ""
	err := scanLines(r, func(_ int, line []byte) error {
		key, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte("="))
		switch {
		case bytes.EqualFold(key, []byte("HostUrl")):
			host = string(value)
		case bytes.EqualFold(key, []byte("ReferrerUrl")):
			referrer = string(value)
		}
		return nil
	})
	if host == "" || host == "about:internet" {
		host = referrer
	}
	return host, err
}
