package icap

import (
	"bytes"
	_ "embed"
	"html/template"
	"sync"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/source/gateway"
)

//go:embed page.html
var pageText string

var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageText)) })

// pageOf is what a user sees in place of what was blocked.
func (e *exchange) pageOf(v gateway.Verdict) []byte {
	var b bytes.Buffer
	err := page().Execute(&b, struct {
		Name    string
		Service string
		Finding *besra.Finding
		Gap     *besra.Gap
	}{besra.Text(e.name).Printable(), e.config.Service, v.Finding, v.Gap})
	if err != nil {
		return []byte("blocked: " + v.Reason() + "\n")
	}
	return b.Bytes()
}
