package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Error is an answer of a service that is not a success.
type Error struct {
	Method, Path string
	Status       int
	// Code and Message are what the service says; they may be empty.
	Code, Message string
	// Request is the service's name for the request, for its support.
	Request string
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Request != "" {
		text += " (request " + e.Request + ")"
	}
	return text
}

// Status returns the status of an [*Error], and 0 for any other error.
func Status(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// maxMessage bounds what is shown of a service's message, in bytes.
const maxMessage = 1000

func newError(r Request, resp *http.Response, body []byte) *Error {
	path, _, _ := strings.Cut(r.Path, "?")
	e := &Error{Method: r.Method, Path: path, Status: resp.StatusCode, Code: resp.Header.Get("x-ms-error-code"),
		Request: resp.Header.Get("x-ms-request-id")}
	var said struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) == nil {
		if said.Error.Code == "" {
			said.Error.Code, said.Error.Message = said.Code, said.Message
		}
		if said.Error.Code != "" {
			e.Code = said.Error.Code
		}
		e.Message = said.Error.Message
	}
	if len(e.Message) > maxMessage {
		e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "") + "…"
	}
	return e
}
