package sourcetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/besra-hunt/besra"
)

// Packed is a content with targets inside it, all of them known.
type Packed struct {
	Name    string // of the outer target
	Content []byte
	Facts   besra.Facts // of the outer target; nil where nothing is known of it
	// Want holds the content of every target inside, by its whole name.
	Want map[string][]byte
	// Gaps lists the reasons of the gaps and of the members that do not open.
	Gaps []string
}

// TestExpander holds an expander to the contract on one content. The checks
// count goroutines, so the caller must not run in parallel with other tests.
func TestExpander(t *testing.T, e besra.Expander, p Packed) {
	t.Helper()
	if e.Kind(p.outer(), p.Content) == "" {
		t.Fatalf("%s: the expander does not know its kind", p.Name)
	}
	before := runtime.NumGoroutine()
	for _, c := range expanderChecks {
		if err := c.check(e, p); err != nil {
			t.Errorf("%s: %s: %v", p.Name, c.name, err)
		}
	}
	if err := settled(before, patience); err != nil {
		t.Error(err)
	}
}

var expanderChecks = []struct {
	name  string
	check func(besra.Expander, Packed) error
}{
	{"yields every target with its bytes", checkInside},
	{"members that are not opened are passed over", checkPassedOver},
	{"stops when the receiver says so", checkInsideError},
	{"stops when cancelled", checkInsideCancelled},
	{"keeps to the members of the budget", checkMembers},
	{"unpacks no more than the budget", checkBytes},
	{"damage is an error, not a panic", checkDamage},
}

// Ample is a budget that no test content uses up.
func Ample() *besra.Budget { return &besra.Budget{Members: 1 << 20, Bytes: 1 << 30, Member: 64 << 20} }

// Inside is what an expansion yielded: contents and reasons of gaps, as a test
// wants to compare them.
type Inside struct {
	Content map[string][]byte
	Facts   map[string]besra.Facts // with their content still lent
	Gaps    []string
	Bytes   int64 // of all contents
	Err     error
}

// Expand opens everything inside a content.
func Expand(ctx context.Context, e besra.Expander, p Packed, b *besra.Budget) Inside {
	in := Inside{Content: map[string][]byte{}, Facts: map[string]besra.Facts{}}
	r := &Recorder{On: func(t besra.Target) error {
		c, err := t.Open(ctx)
		if err != nil {
			in.Gaps = append(in.Gaps, reason(err))
			return nil
		}
		defer c.Close()
		content := bytes.Clone(c.Bytes())
		in.Content[t.Name], in.Facts[t.Name] = content, t.Facts
		in.Bytes += int64(len(content))
		if f, ok := t.Facts.(besra.ContentFacts); ok {
			f.SetContent(content)
		}
		return nil
	}}
	in.Err = e.Expand(ctx, p.outer(), p.Content, b, r)
	for _, g := range r.Gaps() {
		in.Gaps = append(in.Gaps, g.Reason)
	}
	if in.Err != nil {
		in.Gaps = append(in.Gaps, reason(in.Err))
	}
	slices.Sort(in.Gaps)
	return in
}

func (p Packed) outer() besra.Target {
	return besra.Target{Name: p.Name, Context: besra.ContextFile, Size: int64(len(p.Content)), Facts: cmp.Or[besra.Facts](p.Facts, besra.NoFacts{})}
}

// reason is the stable word that a gap made of the error would have.
func reason(err error) string {
	var r interface{ Reason() string }
	if errors.As(err, &r) {
		return r.Reason()
	}
	return err.Error()
}

func checkInside(e besra.Expander, p Packed) error {
	in := Expand(context.Background(), e, p, Ample())
	if got, want := slices.Sorted(maps.Keys(in.Content)), slices.Sorted(maps.Keys(p.Want)); !slices.Equal(got, want) {
		return fmt.Errorf("names: got %q, want %q (gaps %q, error %v)", got, want, in.Gaps, in.Err)
	}
	for name, want := range p.Want {
		if !bytes.Equal(in.Content[name], want) {
			return fmt.Errorf("%q: got %d bytes %.60q, want %d bytes %.60q", name, len(in.Content[name]), in.Content[name], len(want), want)
		}
	}
	if want := slices.Sorted(slices.Values(p.Gaps)); !slices.Equal(in.Gaps, want) {
		return fmt.Errorf("gaps: got %q, want %q (error %v)", in.Gaps, want, in.Err)
	}
	return nil
}

// checkPassedOver opens the last target only.
func checkPassedOver(e besra.Expander, p Packed) error {
	count := &Recorder{}
	e.Expand(context.Background(), p.outer(), p.Content, Ample(), count)
	n := len(count.Targets())
	if n == 0 {
		return nil
	}
	last := count.Targets()[n-1].Name
	want, ok := p.Want[last]
	if !ok {
		return nil
	}
	seen, err := 0, error(nil)
	r := &Recorder{On: func(t besra.Target) error {
		if seen++; seen < n {
			return nil
		}
		c, openErr := t.Open(context.Background())
		if openErr != nil {
			err = openErr
			return nil
		}
		if !bytes.Equal(c.Bytes(), want) {
			err = fmt.Errorf("%q: got %.60q, want %.60q", t.Name, c.Bytes(), want)
		}
		return c.Close()
	}}
	e.Expand(context.Background(), p.outer(), p.Content, Ample(), r)
	return err
}

var errEnough = errors.New("enough")

func checkInsideError(e besra.Expander, p Packed) error {
	r := &Recorder{On: func(besra.Target) error { return errEnough }}
	err := e.Expand(context.Background(), p.outer(), p.Content, Ample(), r)
	if n := len(r.Targets()); n > 1 {
		return fmt.Errorf("got %d targets after the receiver's error, want 1", n)
	}
	if len(r.Targets()) == 1 && !errors.Is(err, errEnough) {
		return fmt.Errorf("got error %v, want the receiver's", err)
	}
	return nil
}

func checkInsideCancelled(e besra.Expander, p Packed) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := &Recorder{}
	if err := e.Expand(ctx, p.outer(), p.Content, Ample(), r); err == nil && len(p.Want) > 0 {
		return errors.New("got no error of a cancelled context")
	}
	if len(r.Targets()) > 0 {
		return fmt.Errorf("got %d targets, want none", len(r.Targets()))
	}
	return nil
}

func checkMembers(e besra.Expander, p Packed) error {
	if len(p.Want) < 2 {
		return nil
	}
	b := Ample()
	b.Members = 1
	in := Expand(context.Background(), e, p, b)
	var limit *besra.LimitError
	if !errors.As(in.Err, &limit) || limit.Limit != "members" {
		return fmt.Errorf("got error %v, want the limit of members", in.Err)
	}
	if n := len(in.Content) + len(in.Gaps); n > 2 {
		return fmt.Errorf("got %d targets and gaps, want one target and the limit", n)
	}
	return nil
}

// checkBytes allows ten bytes: what lies in place costs nothing, everything
// else is a limit.
func checkBytes(e besra.Expander, p Packed) error {
	b := Ample()
	b.Bytes, b.Member = 10, 10
	in := Expand(context.Background(), e, p, b)
	for name, content := range in.Content {
		if len(content) > 10 && !bytes.Contains(p.Content, content) {
			return fmt.Errorf("%q: %d bytes were unpacked, want 10 at most", name, len(content))
		}
	}
	if len(in.Content) < len(p.Want) && !slices.Contains(in.Gaps, "limit") {
		return fmt.Errorf("got %d of %d targets and gaps %q, want the limit among them", len(in.Content), len(p.Want), in.Gaps)
	}
	return nil
}

// checkDamage changes and cuts the content in many places.
func checkDamage(e besra.Expander, p Packed) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	random := rand.New(rand.NewPCG(1, uint64(len(p.Content))))
	for range 60 {
		damaged := bytes.Clone(p.Content)
		for range 1 + random.IntN(4) {
			damaged[random.IntN(len(damaged))] = byte(random.Uint32())
		}
		damaged = damaged[:1+random.IntN(len(damaged))]
		in := Expand(context.Background(), e, Packed{Name: p.Name, Content: damaged}, &besra.Budget{Members: 100, Bytes: 1 << 20, Member: 1 << 20})
		if in.Bytes > 4<<20 {
			return fmt.Errorf("%d bytes came out of %d with a budget of 1 MiB", in.Bytes, len(damaged))
		}
	}
	return nil
}
