package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// firstPoll is the pause before an operation is asked about, where the service
// names none.
const firstPoll = time.Second

// Finish waits for the end of a long-running operation that an answer has begun
// (Azure Resource Manager, "Track asynchronous operations"): by the link in
// Azure-AsyncOperation, else by that in Location. An answer that began none is
// finished. The operation's failure is an [*Error].
func (c *Client) Finish(ctx context.Context, resp *Response) error {
	link, byStatus := resp.Header.Get("Azure-AsyncOperation"), true
	if link == "" {
		link, byStatus = resp.Header.Get("Location"), false
	}
	if link == "" || resp.Status != http.StatusAccepted && resp.Status != http.StatusCreated && resp.Status != http.StatusOK {
		return nil
	}
	if !byStatus && resp.Status != http.StatusAccepted {
		return nil
	}
	for {
		pause, asked := pauseOf(&http.Response{Header: resp.Header}, time.Now())
		if !asked {
			pause = firstPoll
		}
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
		next, err := c.Do(ctx, Request{Method: http.MethodGet, Path: link})
		if err != nil {
			return err
		}
		done, err := finished(next, link, byStatus)
		if done || err != nil {
			return err
		}
		resp = next
	}
}

// finished reads what an operation has come to.
func finished(resp *Response, link string, byStatus bool) (bool, error) {
	if !byStatus {
		return resp.Status != http.StatusAccepted, nil
	}
	var state struct {
		Status string `json:"status"`
		Error  struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(resp.Body, &state); err != nil {
		return true, fmt.Errorf("the state of the operation cannot be read: %w", err)
	}
	switch strings.ToLower(state.Status) {
	case "succeeded":
		return true, nil
	case "failed", "canceled":
		path, _, _ := strings.Cut(link, "?")
		return true, &Error{Method: http.MethodGet, Path: path, Status: resp.Status, Code: state.Error.Code,
			Message: strings.TrimSpace("the operation has " + strings.ToLower(state.Status) + ". " + state.Error.Message)}
	}
	return false, nil
}
