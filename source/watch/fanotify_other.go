//go:build !linux

package watch

import "errors"

func newFanotify([]string) (notifier, error) { return nil, errors.ErrUnsupported }
