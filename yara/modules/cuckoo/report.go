package cuckoo

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"

	"github.com/besra-hunt/besra/yara/module"
)

// report is what the functions ask about.
type report struct {
	lenient  bool // libyara's reading
	domains  []string
	requests []request
	agents   []string
	tcp, udp []flow
	hosts    []string
	mutexes  []string
	files    []string
	keys     []string
}

// request is an HTTP request that has a method and a URI.
type request struct{ method, uri string }

// flow is to a port of a host with an address, a name, or both.
type flow struct {
	hosts   []string
	port    uint64
	hasPort bool
}

type reportKey struct{}

// reportOf returns the report of the scan, nil where it cannot be read.
func reportOf(in *module.Input) *report {
	return in.Memo(reportKey{}, func() any {
		data := in.Meta["cuckoo"]
		if len(data) == 0 {
			return &report{lenient: in.LibYARA}
		}
		return parse(data, in.LibYARA)
	}).(*report)
}

// parse reads a report. Members that are missing or null are empty.
func parse(data []byte, lenient bool) *report {
	var tree any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if d.Decode(&tree) != nil {
		return nil
	}
	if _, err := d.Token(); err != io.EOF {
		return nil
	}
	p := &parser{lenient: lenient}
	r := &report{lenient: lenient}
	top := p.object(tree)
	p.network(r, p.object(top["network"]))
	summary := p.object(p.object(top["behavior"])["summary"])
	r.mutexes = p.texts(summary["mutexes"])
	r.files = p.texts(summary["files"])
	r.keys = p.texts(summary["keys"])
	if p.bad {
		return nil
	}
	return r
}

// parser takes a JSON tree apart. A value of another type than asked for makes
// it bad, or is left out by a lenient one.
type parser struct{ lenient, bad bool }

func (p *parser) network(r *report, m map[string]any) {
	p.domains(r, m)
	p.each(m["http"], func(q map[string]any) {
		agent, ok := p.text(q, "user-agent")
		if ok {
			r.agents = append(r.agents, agent)
		}
		method, hasMethod := p.text(q, "method")
		uri, hasURI := p.text(q, "uri")
		if hasMethod && hasURI {
			r.requests = append(r.requests, request{method, uri})
		}
	})
	r.tcp = p.flows(m["tcp"])
	r.udp = p.flows(m["udp"])
	r.hosts = p.texts(m["hosts"])
}

// domains are in "domains" of newer reports and in "dns" of older ones.
func (p *parser) domains(r *report, m map[string]any) {
	list, key := m["domains"], "domain"
	if _, ok := m["domains"]; !ok {
		list, key = m["dns"], "hostname"
	}
	p.each(list, func(d map[string]any) {
		_, hasIP := d["ip"].(string)
		if name, ok := p.text(d, key); ok && (hasIP || !p.lenient) {
			r.domains = append(r.domains, name)
		}
	})
}

func (p *parser) flows(list any) []flow {
	var flows []flow
	p.each(list, func(m map[string]any) {
		var f flow
		f.port, f.hasPort = p.number(m, "dport")
		if host, ok := p.text(m, "dst"); ok {
			f.hosts = append(f.hosts, host)
		}
		if !p.lenient {
			if host, ok := p.text(m, "dst_domain"); ok {
				f.hosts = append(f.hosts, host)
			}
		}
		flows = append(flows, f)
	})
	return flows
}

func (p *parser) wrong() {
	if !p.lenient {
		p.bad = true
	}
}

func (p *parser) object(v any) map[string]any {
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		p.wrong()
	}
	return m
}

func (p *parser) array(v any) []any {
	list, ok := v.([]any)
	if !ok && v != nil {
		p.wrong()
	}
	return list
}

// each reads the objects of an array.
func (p *parser) each(v any, read func(map[string]any)) {
	for _, item := range p.array(v) {
		m, ok := item.(map[string]any)
		if !ok {
			p.wrong()
			continue
		}
		read(m)
	}
}

func (p *parser) texts(v any) []string {
	var texts []string
	for _, item := range p.array(v) {
		s, ok := item.(string)
		if !ok {
			p.wrong()
			continue
		}
		texts = append(texts, s)
	}
	return texts
}

func (p *parser) text(m map[string]any, key string) (string, bool) {
	s, ok := m[key].(string)
	if !ok && m[key] != nil {
		p.wrong()
	}
	return s, ok
}

func (p *parser) number(m map[string]any, key string) (uint64, bool) {
	n, ok := m[key].(json.Number)
	if !ok {
		if m[key] != nil {
			p.wrong()
		}
		return 0, false
	}
	u, err := strconv.ParseUint(n.String(), 10, 64)
	if err != nil {
		p.wrong()
	}
	return u, err == nil
}
