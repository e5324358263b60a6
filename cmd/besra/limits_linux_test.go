package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestHuntMaxMemory gives a hunt archives of which each unpacks to more than it
// may have, and one that fits: it stays below, finds what fits, and counts the
// rest.
func TestHuntMaxMemory(t *testing.T) {
	if racing {
		t.Skip("the race detector takes more memory than the limit leaves")
	}
	const most = 192 << 20
	dir := t.TempDir()
	large := packedZeros(t, 256)
	for _, name := range []string{"a", "b", "c"} {
		write(t, filepath.Join(dir, name+".gz"), large)
	}
	write(t, filepath.Join(dir, "small.gz"), packedZeros(t, 1))
	write(t, filepath.Join(dir, "a.yar"), []byte(`rule A { strings: $a = "BinStore enabled implants." condition: $a }`))
	cmd := exec.Command(os.Args[0])
	cmd.Args, cmd.Dir = []string{"besra", "hunt", "-p", "a.yar", "-j", "4", "--max-memory", "192MiB", "--include", "*.gz", "."}, dir // see testscript.Main
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	if !strings.Contains(out.String(), "small.gz!small") || !strings.Contains(out.String(), "limit 3") {
		t.Errorf("got %s: want a finding in the small one, and 3 skipped", out.String())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if got := usage.Maxrss << 10; got > most {
		t.Errorf("peak memory %d MiB, allowed are %d", got>>20, int64(most)>>20)
	}
}

// TestHuntMaxMemoryPlaces gives hunts an image and a bucket of which each file is
// as large as half of what they may have, and small ones.
func TestHuntMaxMemoryPlaces(t *testing.T) {
	if racing {
		t.Skip("the race detector takes more memory than the limit leaves")
	}
	const most, large = 256 << 20, 128 << 20
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.yar"), []byte(`rule A { strings: $a = "BinStore enabled implants." condition: $a }`))
	var layer bytes.Buffer
	z := gzip.NewWriter(&layer)
	w := tar.NewWriter(z)
	zeros := make([]byte, 1<<20)
	for i := range 4 {
		name := strconv.Itoa(i)
		w.WriteHeader(&tar.Header{Name: name, Size: large, Mode: 0o600})
		for range large / len(zeros) {
			w.Write(zeros)
		}
		write(t, filepath.Join(dir, "bucket", name), nil)
		if err := os.Truncate(filepath.Join(dir, "bucket", name), large); err != nil {
			t.Fatal(err)
		}
	}
	w.WriteHeader(&tar.Header{Name: "small", Size: int64(len(marker)), Mode: 0o600})
	w.Write([]byte(marker))
	w.Close()
	z.Close()
	write(t, filepath.Join(dir, "bucket", "small"), []byte(marker))
	write(t, filepath.Join(dir, "image.tar"), packed(t, entry{name: "config.json", content: `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers"}}`},
		entry{name: "1/layer.tar", content: layer.String()}, entry{name: "manifest.json", content: `[{"Config":"config.json","Layers":["1/layer.tar"]}]`}))
	for place, told := range map[string]string{"image:image.tar": "limit 4", "bucket:file://" + dir + "/bucket": "too_large 4"} {
		cmd := exec.Command(os.Args[0])
		cmd.Args, cmd.Dir = []string{"besra", "hunt", "-p", "a.yar", "-j", "2", "--max-memory", "256MiB", place}, dir // see testscript.Main
		var out, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v: %s", place, err, stderr.String())
		}
		if !strings.Contains(out.String(), "/small") || !strings.Contains(out.String(), told) {
			t.Errorf("%s: got %s: want a finding in the small one, and %s", place, out.String(), told)
		}
		usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if got := usage.Maxrss << 10; got > most {
			t.Errorf("%s: peak memory %d MiB, allowed are %d", place, got>>20, int64(most)>>20)
		}
	}
}

// TestHuntMaxMemoryCapture gives a hunt a capture that is made to exhaust it:
// conversations that never end, and whose bytes wait for a byte that never comes.
func TestHuntMaxMemoryCapture(t *testing.T) {
	if racing {
		t.Skip("the race detector takes more memory than the limit leaves")
	}
	const most, streams = 224 << 20, 100_000
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.yar"), []byte(`rule A { strings: $a = "BinStore enabled implants." condition: $a }`))
	cmd := exec.Command(os.Args[0])
	cmd.Args, cmd.Dir = []string{"besra", "hunt", "-p", "a.yar", "-j", "2", "--max-memory", "224MiB", "capture:-"}, dir // see testscript.Main
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(in, 1<<20)
	halfOpen(w, streams)
	w.Flush()
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	for _, told := range []string{"BinStore enabled", "100000 missing", " limit "} {
		if !strings.Contains(out.String(), told) {
			t.Errorf("%q is not told: %.2000s", told, out.String())
		}
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if got := usage.Maxrss << 10; got > most {
		t.Errorf("peak memory %d MiB, allowed are %d", got>>20, int64(most)>>20)
	}
}

// halfOpen writes a capture of conversations that begin and go on behind a hole.
func halfOpen(w io.Writer, n int) {
	w.Write(binary.LittleEndian.AppendUint32([]byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00"), 1))
	late := bytes.Repeat([]byte("late "), 280)
	for i := range n {
		binary.LittleEndian.PutUint32(late, uint32(i))
		data := late
		if i == n/2 {
			data = append(late, marker...)
		}
		for _, part := range []struct {
			seq   uint32
			flags byte
			data  []byte
		}{{0, 2, nil}, {5000, 16, data}} {
			size := 14 + 20 + 20 + len(part.data)
			p := binary.LittleEndian.AppendUint32(make([]byte, 8), uint32(size)) // all at one time
			p = binary.LittleEndian.AppendUint32(p, uint32(size))
			p = append(p, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00\x45\x00"...)
			p = binary.BigEndian.AppendUint16(p, uint16(size-14))
			p = append(p, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, byte(i>>16), byte(i>>8), byte(i), 192, 0, 2, 1, 4, 0, 0, 80)
			p = binary.BigEndian.AppendUint32(p, part.seq)
			p = append(p, 0, 0, 0, 0, 5<<4, part.flags, 255, 255, 0, 0, 0, 0)
			w.Write(append(p, part.data...))
		}
	}
}

// packedZeros packs some MiB of zeros with the marker behind them.
func packedZeros(t *testing.T, mib int) []byte {
	t.Helper()
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range mib {
		z.Write(zeros)
	}
	z.Write([]byte(marker))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
