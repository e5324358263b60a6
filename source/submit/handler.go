package submit

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
	"github.com/besra-hunt/besra/source/gateway"
	"github.com/besra-hunt/besra/source/httpbody"
)

// handler answers the requests of one run.
type handler struct {
	*Source
	gate   *gateway.Gate
	places chan struct{} // one a submission under way
	all    sync.WaitGroup
	denied atomic.Int64 // requests without the token
}

func (h *handler) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/scan", h.submission)
	mux.HandleFunc("PUT /v1/scan/{name...}", h.submission)
	mux.HandleFunc("GET /v1/health", h.health)
	return mux
}

// quiet drops what the server would log of connections that end early: the gaps
// tell of what matters.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func (h *handler) health(w http.ResponseWriter, _ *http.Request) {
	status, word := http.StatusOK, "ok"
	if h.config.Stop.Err() != nil {
		status, word = http.StatusServiceUnavailable, "stopping"
	}
	write(w, status, map[string]string{"status": word, "service": h.config.Service, "content": h.config.Tag})
}

// allowed compares the token in constant time, whatever its length.
func (h *handler) allowed(r *http.Request) bool {
	if h.config.Token == "" {
		return true
	}
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sum := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(sum[:], h.token[:]) == 1
}

// reply is what a submitter gets.
type reply struct {
	// Action is what the policy says of all files together, or "refused".
	Action string `json:"action"`
	// Complete is false where something was not looked at to its end.
	Complete bool   `json:"complete"`
	Files    []file `json:"files"`
	Error    string `json:"error,omitempty"`

	worst gateway.Action
}

// file is what is said of one file.
type file struct {
	Name     besra.Text        `json:"name"`
	Size     int               `json:"size"`
	SHA256   string            `json:"sha256"`
	Action   string            `json:"action"`
	Matches  int64             `json:"matches"`
	Findings []json.RawMessage `json:"findings"`
	Missed   int64             `json:"missed"`
	Gaps     []besra.Gap       `json:"gaps,omitempty"`
}

// refusal is a submission that is not taken, with the status that says so.
type refusal struct {
	status int
	why    string
	reason string // of the gap
}

func (e *refusal) Error() string { return e.why }

// submission is one request with one file or several.
type submission struct {
	*handler
	request *http.Request
	body    *patient
	answer  reply
}

// submission answers one request.
func (h *handler) submission(w http.ResponseWriter, r *http.Request) {
	h.all.Add(1)
	defer h.all.Done()
	control := http.NewResponseController(w)
	s := &submission{handler: h, request: r, answer: reply{Action: gateway.Allow.String(), Complete: true, Files: []file{}},
		body: &patient{r: r.Body, c: control, end: time.Now().Add(h.config.Limits.Transfer), pause: h.config.Limits.Pause}}
	status := http.StatusOK
	if err := s.take(); err != nil {
		status = s.refused(w.Header(), err)
		control.SetReadDeadline(time.Now().Add(time.Second)) // for what is left of the body
	}
	control.SetWriteDeadline(time.Now().Add(h.config.Limits.Pause))
	write(w, status, s.answer)
}

// take scans what the request holds.
func (s *submission) take() error {
	r := s.request
	if !s.allowed(r) {
		return &refusal{http.StatusUnauthorized, "the token is missing or wrong", gateway.ReasonNotAllowed}
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		return &refusal{http.StatusServiceUnavailable, "too many submissions at once", gateway.ReasonBusy}
	}
	if boundary := httpbody.Boundary(r.Header); boundary != "" && r.Method == http.MethodPost {
		return s.form(boundary)
	}
	if r.ContentLength > s.config.Limits.Object {
		return tooLarge(s.config.Limits.Object)
	}
	return s.file(nameOf(r), s.body)
}

func tooLarge(limit int64) error {
	return &refusal{http.StatusRequestEntityTooLarge, "a file is larger than " + strconv.FormatInt(limit, 10) + " bytes", gateway.ReasonLimit}
}

// file scans one file.
func (s *submission) file(name string, body io.Reader) error {
	b, err := s.gate.Read(body)
	s.body.free()
	switch {
	case err != nil:
		b.Release()
		return &refusal{http.StatusBadRequest, "the body was not sent to its end: " + err.Error(), gateway.ReasonCut}
	case b.Over != nil && int64(len(b.Data)) > s.config.Limits.Object:
		b.Release()
		return tooLarge(s.config.Limits.Object)
	case b.Over != nil:
		b.Release()
		return &refusal{http.StatusServiceUnavailable, "too much is in memory", gateway.ReasonBusy}
	}
	sum := sha256.Sum256(b.Data)
	a := s.gate.Ask(s.target(s.request, name, len(b.Data), hex.EncodeToString(sum[:])), b)
	s.answer.add(file{Name: besra.Text(name), Size: len(b.Data), SHA256: hex.EncodeToString(sum[:]), Matches: a.Matches, Missed: a.Missed, Gaps: a.Gaps},
		a, s.config.Policy.Judge(a).Action)
	return nil
}

func (r *reply) add(f file, a besra.Answer, action gateway.Action) {
	f.Action, f.Findings = action.String(), []json.RawMessage{}
	for _, finding := range a.Findings {
		line, err := besra.Record{Type: besra.RecordFinding, Finding: finding}.MarshalJSON()
		if err != nil {
			line, _ = json.Marshal(map[string]string{"error": err.Error()})
		}
		f.Findings = append(f.Findings, line)
	}
	r.Files = append(r.Files, f)
	r.Complete = r.Complete && a.Missed == 0
	r.worst = max(r.worst, action)
	r.Action = r.worst.String()
}

// target is one file, without its bytes.
func (h *handler) target(r *http.Request, name string, size int, sum string) besra.Target {
	g := facts.NewGiven(besra.ContextNetwork, h.config.Facts)
	const source = "connection of the submitter"
	g.State("file.size", int64(size), besra.GradeVerified, "body that was submitted")
	g.State("file.sha256", sum, besra.GradeVerified, "body that was submitted")
	g.State("net.proto", "tcp", besra.GradeVerified, source)
	g.State("net.time", time.Now().UTC(), besra.GradeVerified, source)
	stateAddress(g, "net.src", r.RemoteAddr)
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		stateAddress(g, "net.dst", local.String())
	}
	g.State("net.host", besra.Text(hostOf(r.Host)), besra.GradeWeak, "HTTP request")
	if agent := r.UserAgent(); agent != "" {
		g.State("net.user_agent", besra.Text(agent), besra.GradeWeak, "HTTP request")
	}
	return besra.Target{Name: "submitted:" + name, Context: besra.ContextNetwork, Facts: g}
}

func stateAddress(g *facts.Given, prefix, address string) {
	host, text, err := net.SplitHostPort(address)
	port, portErr := strconv.ParseInt(text, 10, 32)
	if err == nil && portErr == nil {
		g.State(prefix+".ip", host, besra.GradeVerified, "connection of the submitter")
		g.State(prefix+".port", port, besra.GradeVerified, "connection of the submitter")
	}
}

func hostOf(s string) string {
	if host, _, err := net.SplitHostPort(s); err == nil {
		return host
	}
	return s
}

// nameOf is what the submitter calls the file, or who the submitter is.
func nameOf(r *http.Request) string {
	name := r.PathValue("name")
	if name == "" {
		return "file from " + hostOf(r.RemoteAddr)
	}
	return name[:min(len(name), 1024)]
}

// refused says in the reply and in a gap what was not taken, and returns the
// status. Requests without the token are counted only: anyone can send them.
func (s *submission) refused(header http.Header, err error) int {
	status, reason := http.StatusBadRequest, gateway.ReasonMalformed
	var known *refusal
	if errors.As(err, &known) {
		status, reason = known.status, known.reason
	}
	header.Set("Connection", "close") // what was not read of the body must not be taken for a request
	s.answer.Action, s.answer.Complete, s.answer.Error = "refused", false, err.Error()
	kind := besra.GapSkip
	switch {
	case status == http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Bearer")
		s.denied.Add(1)
		return status
	case status == http.StatusServiceUnavailable:
		header.Set("Retry-After", "2")
	case reason == gateway.ReasonCut:
		kind = besra.GapError
	}
	s.gate.Gap(besra.Gap{Kind: kind, Target: besra.Text("submitted:" + nameOf(s.request)), Reason: reason, Detail: err.Error(), Count: 1})
	return status
}

// tell reports the requests without the token.
func (h *handler) tell() {
	if n := h.denied.Load(); n > 0 {
		h.gate.Gap(besra.Gap{Kind: besra.GapSkip, Target: besra.Text("submissions to " + h.config.Address.Listen), Reason: gateway.ReasonNotAllowed,
			Detail: "the token was missing or wrong", Count: n})
	}
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // a submitter who is gone misses it
}
