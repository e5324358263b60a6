package syslog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// spool is a file of frames that wait to be delivered, oldest first. Each frame
// is one write; a half-written one at the end is cut off when it is opened.
type spool struct {
	file    *os.File
	size    int64
	max     int64
	waiting int
	dropped int
}

// maxFrame bounds one message in a spool, in bytes.
const maxFrame = 16 << 20

func openSpool(name string, most int64) (*spool, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	s := &spool{file: f, max: most}
	err = s.each(func([]byte) error { s.waiting++; return nil })
	if errors.Is(err, errTorn) {
		err = f.Truncate(s.size)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("spool %s: %w", name, err)
	}
	return s, nil
}

var (
	errTorn   = errors.New("the last message is half-written")
	errNoPool = errors.New("it is not a spool of messages")
)

// each reads the frames from the beginning and leaves s.size behind the last
// that f has taken.
func (s *spool) each(f func(frame []byte) error) error {
	s.size = 0
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r := bufio.NewReader(s.file)
	for {
		frame, err := readFrame(r)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = f(frame)
		}
		if err != nil {
			return err
		}
		s.size += int64(len(frame))
	}
}

// readFrame reads "LENGTH MESSAGE". The error is io.EOF between frames, and
// errTorn within one.
func readFrame(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(1)
	if len(head) == 0 {
		return nil, err
	}
	digits, err := r.ReadString(' ')
	if len(digits) > 10 || strings.Trim(strings.TrimSuffix(digits, " "), "0123456789") != "" {
		return nil, errNoPool
	}
	if err != nil {
		return nil, errTorn
	}
	n, err := strconv.Atoi(strings.TrimSuffix(digits, " "))
	if err != nil || n > maxFrame {
		return nil, errNoPool
	}
	frame := make([]byte, len(digits)+n)
	copy(frame, digits)
	if _, err := io.ReadFull(r, frame[len(digits):]); err != nil {
		return nil, errTorn
	}
	return frame, nil
}

// add keeps a frame, or counts it where there is no room.
func (s *spool) add(frame []byte) error {
	if s.size+int64(len(frame)) > s.max {
		s.dropped++
		return nil
	}
	if _, err := s.file.WriteAt(frame, s.size); err != nil {
		return errors.Join(err, s.file.Truncate(s.size))
	}
	s.size += int64(len(frame))
	s.waiting++
	return nil
}

// drain sends every frame and empties the spool. A frame that could not be sent
// stays, with those behind it.
func (s *spool) drain(send func([]byte) error) error {
	if s.waiting == 0 {
		return nil
	}
	end, sent := s.size, 0
	err := s.each(func(frame []byte) error {
		if err := send(frame); err != nil {
			return err
		}
		sent++
		return nil
	})
	if err == nil {
		s.waiting, s.size = 0, 0
		return s.file.Truncate(0)
	}
	return errors.Join(err, s.forget(end, sent))
}

// forget moves what is left to the beginning.
func (s *spool) forget(end int64, sent int) error {
	begin := s.size
	s.size = end
	if sent == 0 {
		return nil
	}
	rest := make([]byte, end-begin)
	if _, err := s.file.ReadAt(rest, begin); err != nil {
		return err
	}
	if _, err := s.file.WriteAt(rest, 0); err != nil {
		return err
	}
	s.size, s.waiting = int64(len(rest)), s.waiting-sent
	return s.file.Truncate(s.size)
}
