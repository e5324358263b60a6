package files_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/besra-hunt/besra/source/files"
	"github.com/besra-hunt/besra/source/sourcetest"
)

// A foreign root is walked and judged as on its own host.
func Example() {
	root, err := os.MkdirTemp("", "root")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(root)
	for name, content := range map[string]string{
		"etc/passwd":     "root:x:0:0::/root:/bin/sh\nbackup:x:34:34::/:/bin/sh\n",
		"opt/job.py":     "print('hello')\n",
		".besra-owners":  "/opt/job.py 34 34 0640\n",
		"opt/cache/blob": "…",
	} {
		at := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			log.Fatal(err)
		}
	}

	src, err := files.New(files.Config{Root: root, Paths: []string{"/opt"}, Exclude: []string{"cache"}})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	r := &sourcetest.Recorder{}
	if err := src.Run(ctx, r); err != nil {
		log.Fatal(err)
	}
	for _, t := range r.Targets() {
		owner := t.Facts.Fact(ctx, "file.owner.name")
		fmt.Println(t.Name, owner.Value, owner.Grade, "by", owner.Source)
	}
	for _, g := range r.Gaps() {
		fmt.Println(g.Kind, g.Target, g.Reason)
	}
	// Output:
	// /opt/job.py backup asserted by .besra-owners, /etc/passwd
	// skip /opt/cache excluded
}
