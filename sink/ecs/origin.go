package ecs

import (
	"strings"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/sink/lines"
)

// origin is whose the bytes are, in the field sets that the schema has for it. A
// file has the process that wrote it, where it was watched.
type origin struct {
	Process     *process   `json:"process,omitempty"`
	Container   *container `json:"container,omitempty"`
	Source      *endpoint  `json:"source,omitempty"`
	Destination *endpoint  `json:"destination,omitempty"`
	Network     *network   `json:"network,omitempty"`
	URL         *address   `json:"url,omitempty"`
	UserAgent   *userAgent `json:"user_agent,omitempty"`
	User        *user      `json:"user,omitempty"`
	Email       *email     `json:"email,omitempty"`
}

type process struct {
	PID        *int64     `json:"pid,omitempty"`
	Name       string     `json:"name,omitempty"`
	Executable string     `json:"executable,omitempty"`
	Command    string     `json:"command_line,omitempty"`
	Directory  string     `json:"working_directory,omitempty"`
	Start      *time.Time `json:"start,omitempty"`
	Hash       *digest    `json:"hash,omitempty"`
	User       *user      `json:"user,omitempty"`
}

type user struct {
	Name string `json:"name"`
}

type container struct {
	ID    string `json:"id,omitempty"`
	Image *image `json:"image,omitempty"`
}

type image struct {
	Name string   `json:"name,omitempty"`
	Tag  []string `json:"tag,omitempty"`
	Hash *hashes  `json:"hash,omitempty"`
}

type hashes struct {
	All []string `json:"all"`
}

type endpoint struct {
	IP   string `json:"ip,omitempty"`
	Port *int64 `json:"port,omitempty"`
}

type network struct {
	Transport string `json:"transport"`
}

type address struct {
	Original string `json:"original,omitempty"`
	Domain   string `json:"domain,omitempty"`
}

type userAgent struct {
	Original string `json:"original"`
}

type email struct {
	From    *mailbox   `json:"from,omitempty"`
	To      *mailbox   `json:"to,omitempty"`
	ReplyTo *mailbox   `json:"reply_to,omitempty"`
	Subject string     `json:"subject,omitempty"`
	Sent    *time.Time `json:"origination_timestamp,omitempty"`
}

type mailbox struct {
	Address []string `json:"address"`
}

func originOf(t besra.TargetRef, f lines.Facts) origin {
	switch t.Context {
	case besra.ContextProcess:
		return origin{Process: processOf(f, "process."), Container: containerOf(f)}
	case besra.ContextImage:
		return origin{Container: containerOf(f)}
	case besra.ContextNetwork:
		o := origin{Source: endpointOf(f, "net.src"), Destination: endpointOf(f, "net.dst"), URL: lines.Present(address{f.Text("net.url"), f.Text("net.host")}),
			UserAgent: lines.Present(userAgent{f.Text("net.user_agent")}), User: lines.Present(user{f.Text("net.user")})}
		o.Network = lines.Present(network{f.Text("net.proto")})
		return o
	case besra.ContextMail:
		return origin{Email: emailOf(f), Source: lines.Present(endpoint{IP: f.Address("mail.client_ip")}), User: lines.Present(user{f.Text("mail.user")})}
	case besra.ContextObject:
		return origin{URL: lines.Present(address{Original: t.Name.Printable()})}
	}
	return origin{Process: processOf(f, "writer.")}
}

// processOf is the process that a group of facts is about.
func processOf(f lines.Facts, group string) *process {
	return lines.Present(process{PID: f.Number(group + "pid"), Name: f.Base(group + "exe"), Executable: f.Text(group + "exe"), Command: f.Text(group + "cmdline"),
		Directory: f.Text(group + "cwd"), Start: f.Time(group + "start"), Hash: lines.Present(digest{f.Text(group + "sha256")}), User: lines.Present(user{f.Text(group + "user")})})
}

// containerOf is the container that a process runs in, or the image that a file
// is of.
func containerOf(f lines.Facts) *container {
	c := container{ID: f.Text("process.container")}
	name, tag := f.Text("image.ref"), ""
	if i := strings.LastIndex(name, ":"); i > strings.LastIndex(name, "/") && !strings.Contains(name, "@") {
		name, tag = name[:i], name[i+1:]
	}
	im := image{Name: name}
	if tag != "" {
		im.Tag = []string{tag}
	}
	if sum := f.Text("image.digest"); sum != "" {
		im.Hash = &hashes{[]string{sum}}
	}
	if im.Name != "" || im.Hash != nil {
		c.Image = &im
	}
	return lines.Present(c)
}

func endpointOf(f lines.Facts, group string) *endpoint {
	return lines.Present(endpoint{f.Address(group + ".ip"), f.Port(group + ".port")})
}

func emailOf(f lines.Facts) *email {
	return lines.Present(email{From: mailboxOf(f, "mail.from"), To: mailboxOf(f, "mail.envelope_to"), ReplyTo: mailboxOf(f, "mail.reply_to"),
		Subject: f.Text("mail.subject"), Sent: f.Time("mail.date")})
}

func mailboxOf(f lines.Facts, name string) *mailbox {
	if list := f.Texts(name); len(list) > 0 {
		return &mailbox{list}
	}
	return nil
}
