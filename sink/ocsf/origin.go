package ocsf

import (
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/lazyregexp"
	"github.com/besra-hunt/besra/sink/lines"
)

// origin is whose the bytes are, in the objects of an evidence. A file has the
// process that wrote it as its actor, where it was watched.
type origin struct {
	Process    *process     `json:"process,omitempty"`
	Container  *container   `json:"container,omitempty"`
	Actor      *actor       `json:"actor,omitempty"`
	Source     *endpoint    `json:"src_endpoint,omitempty"`
	Dest       *endpoint    `json:"dst_endpoint,omitempty"`
	Connection *connection  `json:"connection_info,omitempty"`
	URL        *address     `json:"url,omitempty"`
	Request    *httpRequest `json:"http_request,omitempty"`
	User       *user        `json:"user,omitempty"`
	Email      *email       `json:"email,omitempty"`
	Bucket     *bucket      `json:"databucket,omitempty"`
}

type actor struct {
	Process *process `json:"process"`
}

type process struct {
	PID       *int64 `json:"pid"`
	Name      string `json:"name,omitempty"`
	Command   string `json:"cmd_line,omitempty"`
	Directory string `json:"working_directory,omitempty"`
	Created   *int64 `json:"created_time,omitempty"`
	File      *file  `json:"file,omitempty"`
	User      *user  `json:"user,omitempty"`
}

type user struct {
	Name string `json:"name"`
}

type container struct {
	UID string `json:"uid"`
}

type endpoint struct {
	IP   string `json:"ip"`
	Port *int64 `json:"port,omitempty"`
}

type connection struct {
	Direction     int    `json:"direction_id"` // always unknown: who is inside is not
	DirectionName string `json:"direction"`
	Protocol      string `json:"protocol_name"`
}

type address struct {
	URL string `json:"url_string"`
}

type httpRequest struct {
	UserAgent string   `json:"user_agent,omitempty"`
	URL       *address `json:"url,omitempty"`
}

type email struct {
	From    string   `json:"from,omitempty"`
	To      []string `json:"to,omitempty"`
	Subject string   `json:"subject,omitempty"`
}

type bucket struct {
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

func originOf(t besra.TargetRef, f lines.Facts) origin {
	switch t.Context {
	case besra.ContextProcess:
		return origin{Process: processOf(f, "process."), Container: lines.Present(container{f.Text("process.container")})}
	case besra.ContextNetwork:
		return conversation(f)
	case besra.ContextMail:
		return origin{Email: emailOf(f), Source: endpointOf(f, "mail.client_ip", ""), User: lines.Present(user{f.Text("mail.user")})}
	case besra.ContextObject:
		return origin{Bucket: bucketOf(t, f)}
	}
	if p := processOf(f, "writer."); p != nil {
		return origin{Actor: &actor{p}}
	}
	return origin{}
}

// processOf is the process that a group of facts is about. Without its number it
// is none: the schema asks for it.
func processOf(f lines.Facts, group string) *process {
	p := &process{PID: f.Number(group + "pid"), Name: f.Base(group + "exe"), Command: f.Text(group + "cmdline"),
		Directory: f.Text(group + "cwd"), User: lines.Present(user{f.Text(group + "user")})}
	if p.PID == nil {
		return nil
	}
	if at := f.Time(group + "start"); at != nil {
		ms := at.UnixMilli()
		p.Created = &ms
	}
	if p.Name != "" {
		p.File = regularFile(p.Name, f.Text(group+"exe"), f.Text(group+"sha256"))
	}
	return p
}

// conversation is what is known of the traffic that carried the bytes.
func conversation(f lines.Facts) origin {
	o := origin{Source: endpointOf(f, "net.src.ip", "net.src.port"), Dest: endpointOf(f, "net.dst.ip", "net.dst.port"),
		URL: lines.Present(address{f.Text("net.url")}), User: lines.Present(user{f.Text("net.user")})}
	if proto := f.Text("net.proto"); proto != "" {
		o.Connection = &connection{DirectionName: "Unknown", Protocol: proto}
	}
	if agent := f.Text("net.user_agent"); agent != "" {
		o.Request = &httpRequest{agent, o.URL}
	}
	return o
}

// endpointOf is one end of a conversation; a port alone is none.
func endpointOf(f lines.Facts, ip, port string) *endpoint {
	e := endpoint{IP: f.Address(ip)}
	if e.IP == "" {
		return nil
	}
	e.Port = f.Port(port)
	return &e
}

// mailAddress is what the schema takes for one.
var mailAddress = lazyregexp.New("^[a-zA-Z0-9!#$%&'*+-/=?^_`{|}~.]+@[a-zA-Z0-9-]+\\.[a-zA-Z0-9-.]+$")

// emailOf is the message, where it has an address that the schema takes.
func emailOf(f lines.Facts) *email {
	e := &email{Subject: f.Text("mail.subject")}
	if from := f.Text("mail.from"); mailAddress().MatchString(from) {
		e.From = from
	}
	for _, to := range f.Texts("mail.envelope_to") {
		if mailAddress().MatchString(to) {
			e.To = append(e.To, to)
		}
	}
	if e.From == "" && len(e.To) == 0 {
		return nil
	}
	return e
}

// stores are the schema's numbers and words for the schemes of buckets' names.
var stores = map[string]bucket{
	"s3":     {TypeID: 1, Type: "S3"},
	"azblob": {TypeID: 2, Type: "Azure Blob"},
	"gs":     {TypeID: 3, Type: "GCP Bucket"},
}

func bucketOf(t besra.TargetRef, f lines.Facts) *bucket {
	scheme, _, _ := strings.Cut(string(t.Name), "://")
	b, ok := stores[scheme]
	if !ok {
		b = bucket{TypeID: 99, Type: "Other"}
	}
	if b.Name = f.Text("object.bucket"); b.Name == "" {
		return nil
	}
	return &b
}
