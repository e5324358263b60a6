package capture

import (
	"net/http"
	"strings"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/facts"
)

// question is what is remembered of a request, for the sake of its answer.
type question struct{ method, url, host, agent string }

func newQuestion(r *http.Request) *question {
	host, _, _ := strings.Cut(r.Host, ":")
	return &question{strings.Clone(r.Method), requestURL(r).String(), strings.Clone(host), strings.Clone(r.UserAgent())}
}

// size is about what it takes in memory.
func (q *question) size() int64 {
	const fixed = 128
	return fixed + int64(len(q.method)+len(q.url)+len(q.host)+len(q.agent))
}

// request is as much of it as says whether its answer has a body.
func (q *question) request() *http.Request {
	if q == nil {
		return nil
	}
	return &http.Request{Method: q.method}
}

// tunnels reports whether it asks a proxy to pass on what follows.
func (q *question) tunnels() bool { return q != nil && q.method == http.MethodConnect }

// name is that of what answers: the URL, or a word where it is not known.
func (q *question) name() string {
	if q == nil {
		return "response"
	}
	return q.url
}

// state states what a request says of itself, and of its answer.
func (q *question) state(g *facts.Given) {
	if q == nil {
		return
	}
	const source = "HTTP request"
	g.State("net.url", besra.Text(q.url), besra.GradeWeak, source)
	if q.host != "" {
		g.State("net.host", besra.Text(q.host), besra.GradeWeak, source)
	}
	if q.agent != "" {
		g.State("net.user_agent", besra.Text(q.agent), besra.GradeWeak, source)
	}
}

// questions are requests in their order, numbered from 1, that may still be
// answered. Where one is not known, nor are those that come later. Its zero
// value is none, and so is nil.
type questions struct {
	before int // how many were forgotten
	list   []*question
	size   int64 // of those in the list
	ended  bool  // no more of them are known
}

// maxQuestions bounds the size of those of one conversation.
const maxQuestions = 4 << 20

func (q *questions) add(one *question) {
	if q == nil || q.ended {
		return
	}
	if q.size > maxQuestions {
		q.ended = true
		return
	}
	q.list = append(q.list, one)
	q.size += one.size()
}

// of returns the one of a number; nil where it is not known.
func (q *questions) of(number int) *question {
	if q == nil || number <= q.before || number > q.before+len(q.list) {
		return nil
	}
	return q.list[number-q.before-1]
}

// after returns those behind a number, for somebody else to read.
func (q *questions) after(number int) *questions {
	n := min(max(0, number-q.before), len(q.list))
	return &questions{before: number, list: q.list[n:len(q.list):len(q.list)]}
}

// forget gives up those up to a number, and returns their size.
func (q *questions) forget(number int) (size int64) {
	n := min(max(0, number-q.before), len(q.list))
	for _, one := range q.list[:n] {
		size += one.size()
	}
	q.list, q.before, q.size = q.list[n:], q.before+n, q.size-size
	return size
}

// end gives up all, because what follows cannot be numbered.
func (q *questions) end() { *q = questions{ended: true} }

// questionsIn reads the requests of a direction.
func questionsIn(b []byte) *questions {
	q := &questions{}
	if !isRequest(b) {
		return q
	}
	f := framer{head: requestHead, asked: q}
	for n, ok := f.step(b); ok; n, ok = f.step(b) {
		b = b[n:]
	}
	return q
}
