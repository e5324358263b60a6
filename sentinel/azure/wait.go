package azure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// The pauses between tries, where the service names none.
const (
	firstPause = 800 * time.Millisecond
	lastPause  = time.Minute
)

// Waiting is told before each pause: how long it is, and why.
type Waiting func(pause time.Duration, cause error)

// patience is the policy that tries again. azcore's own gives up where the
// service asks for more than its longest pause; this one waits as long as it is
// asked to, and gives up when the context ends, or would end before the pause
// does.
type patience struct {
	tries   int // at most; 0 is without limit
	waiting Waiting
}

// Do implements [policy.Policy].
func (p *patience) Do(req *policy.Request) (*http.Response, error) {
	ctx := req.Raw().Context()
	for try := 1; ; try++ {
		if err := req.RewindBody(); err != nil {
			return nil, err
		}
		resp, err := req.Next()
		if !again(ctx, resp, err) || try == p.tries {
			return resp, err
		}
		pause, asked := pauseOf(resp, time.Now())
		if !asked {
			pause = backoff(try)
		}
		cause := err
		if cause == nil {
			cause = fmt.Errorf("the service answers %s", resp.Status)
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) < pause {
			return resp, err
		}
		if p.waiting != nil {
			p.waiting(pause, cause)
		}
		if !sleep(ctx, pause) {
			return resp, err
		}
		drain(resp)
	}
}

// again reports whether trying again can help.
func again(ctx context.Context, resp *http.Response, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		return passing(err)
	}
	return transient(resp.StatusCode)
}

// transient reports whether a status says: later.
func transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// passing reports whether an error of the way there may pass: everything but a
// credential that was refused or is not there. That the authority could not be
// reached, or was busy, passes.
func passing(err error) bool {
	var failed *azidentity.AuthenticationFailedError
	if errors.As(err, &failed) {
		return failed.RawResponse == nil || transient(failed.RawResponse.StatusCode)
	}
	var never interface{ NonRetriable() }
	return !errors.As(err, &never)
}

// pauseOf reads how long the service asks to wait.
func pauseOf(resp *http.Response, now time.Time) (time.Duration, bool) {
	if resp == nil {
		return 0, false
	}
	for _, name := range []string{"retry-after-ms", "x-ms-retry-after-ms"} {
		if n, err := strconv.ParseInt(resp.Header.Get(name), 10, 32); err == nil && n >= 0 {
			return time.Duration(n) * time.Millisecond, true
		}
	}
	text := resp.Header.Get("Retry-After")
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && n >= 0 {
		return time.Duration(n) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0), true
	}
	return 0, false
}

// backoff doubles the pause with each try, and varies it, so that many sensors
// do not come back at the same moment.
func backoff(try int) time.Duration {
	pause := lastPause
	if try < 8 {
		pause = min(firstPause<<(try-1), lastPause)
	}
	return pause/2 + rand.N(pause/2)
}

// sleep waits, and reports whether it was to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// drain frees the connection of a response that nobody reads.
func drain(resp *http.Response) {
	if resp != nil {
		io.CopyN(io.Discard, resp.Body, 64<<10)
		resp.Body.Close()
	}
}
