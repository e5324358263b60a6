package facts

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// indexed is an entry of an index under construction.
type indexed struct {
	path, content string
	flags         uint16
	mode          uint32
}

func blobName(content string, wide bool) []byte {
	text := fmt.Sprintf("blob %d\x00%s", len(content), content)
	if wide {
		sum := sha256.Sum256([]byte(text))
		return sum[:]
	}
	sum := sha1.Sum([]byte(text))
	return sum[:]
}

// gitIndexOf makes an index of a version, with an extension at its end.
func gitIndexOf(version uint32, wide bool, extension string, entries ...indexed) string {
	be := binary.BigEndian
	b := be.AppendUint32(be.AppendUint32([]byte("DIRC"), version), uint32(len(entries)))
	last := ""
	for _, e := range entries {
		start := len(b)
		b = append(b, make([]byte, gitMode)...)
		b = be.AppendUint32(b, cmp.Or(e.mode, 0o100644))
		b = append(b, make([]byte, gitStats-gitMode-4)...)
		b = append(b, blobName(e.content, wide)...)
		b = be.AppendUint16(b, e.flags)
		if e.flags&gitExtended != 0 {
			b = append(b, 0, 0)
		}
		if version == 4 {
			keep := 0
			for keep < min(len(last), len(e.path)) && last[keep] == e.path[keep] {
				keep++
			}
			if cut := len(last) - keep; cut < 128 {
				b = append(b, byte(cut))
			} else {
				b = append(b, byte(cut-128)>>7|0x80, byte(cut-128)&0x7f)
			}
			b = append(append(b, e.path[keep:]...), 0)
		} else {
			b = append(append(b, e.path...), 0)
			for (len(b)-start)%8 != 0 {
				b = append(b, 0)
			}
		}
		last = e.path
	}
	if extension != "" {
		b = append(be.AppendUint32(append(b, extension...), 4), 1, 2, 3, 4)
	}
	return string(append(b, make([]byte, sha1.Size)...))
}

const gitConfigText = "# made by hand\n[core]\n\tbare = false\n[remote \"fork\"]\n\turl = https://evil.example/x\n" +
	"[remote \"origin\"]\n\turl = \"https://bot:secret@git.example/team/tool.git\"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"

func TestGit(t *testing.T) {
	deep := strings.Repeat("d/", 80) + "deep.py"
	entries := []indexed{{"a.py", "a", 4, 0}, {"changed.py", "before", 0, 0}, {"conflict.py", "x", 0x1000, 0}, {deep, "deep", gitExtended, 0},
		{"sub/b.py", "b", 0, 0}}
	for name, index := range map[string]string{
		"version 2": gitIndexOf(2, false, "TREE", append(entries[:3:3], indexed{deep, "deep", 0, 0}, entries[4])...),
		"version 3": gitIndexOf(3, false, "", entries...),
		"version 4": gitIndexOf(4, false, "UNTR", entries...),
	} {
		t.Run(name, func(t *testing.T) {
			h := foreign(t, map[string]string{"/srv/repo/.git/config": gitConfigText, "/srv/repo/.git/index": index,
				"/srv/repo/a.py": "a", "/srv/repo/changed.py": "after", "/srv/repo/conflict.py": "x", "/srv/repo/" + deep: "deep",
				"/srv/repo/sub/b.py": "b", "/srv/repo/new.py": "n", "/srv/other.py": ""})
			for path, want := range map[string][2]string{
				"a.py": {"true", "true"}, "changed.py": {"true", "false"}, "conflict.py": {"false", "false"},
				deep: {"true", "true"}, "sub/b.py": {"true", "true"}, "new.py": {"false", "false"},
			} {
				wantFacts(t, at(t, h, "/srv/repo/"+path), map[string]string{
					"git.root": "/srv/repo (weak)", "git.remote": "https://git.example/team/tool.git (weak)",
					"git.tracked": want[0] + " (weak)", "git.unmodified": want[1] + " (weak)"})
			}
			wantFacts(t, at(t, h, "/srv/other.py"), map[string]string{"git.root": " (weak)", "git.remote": " (weak)",
				"git.tracked": "false (weak)", "git.unmodified": "false (weak)"})
		})
	}
}

// TestGitForms has what is not the usual repository: a linked work tree, object
// names of SHA-256, an index that is missing, partial or damaged.
func TestGitForms(t *testing.T) {
	h := foreign(t, map[string]string{
		"/main/.git/config": gitConfigText, "/main/.git/worktrees/w/index": gitIndexOf(2, false, "", indexed{"x", "x", 0, 0}),
		"/main/.git/worktrees/w/commondir": "../..\n", "/w/.git": "gitdir: /main/.git/worktrees/w\n", "/w/x": "x", "/main/x": "x",
		"/wide/.git/config": "[extensions]\n objectFormat = sha256\n", "/wide/.git/index": gitIndexOf(2, true, "", indexed{"x", "x", 0, 0}), "/wide/x": "x",
		"/split/.git/config": "", "/split/.git/index": gitIndexOf(2, false, "link"), "/split/x": "x",
		"/sparse/.git/config": "", "/bad/.git/config": "", "/sparse/.git/index": gitIndexOf(4, false, "", indexed{"d/", "", 0, gitTree}), "/sparse/x": "x",
		"/bad/.git/index": "DIRC", "/bad/x": "x", "/odd/.git": "nonsense", "/odd/x": "x",
	})
	no := "unavailable: "
	for path, want := range map[string][3]string{
		"/w/x":      {"https://git.example/team/tool.git (weak)", "true (weak)", "true (weak)"},
		"/main/x":   {"https://git.example/team/tool.git (weak)", "false (weak)", "false (weak)"},
		"/wide/x":   {" (weak)", "true (weak)", "true (weak)"},
		"/split/x":  {" (weak)", no + "/split/.git/index: " + errGitSplit.Error(), no + "/split/.git/index: " + errGitSplit.Error()},
		"/sparse/x": {" (weak)", no + "/sparse/.git/index: " + errGitSplit.Error(), no + "/sparse/.git/index: " + errGitSplit.Error()},
		"/bad/x":    {" (weak)", no + "/bad/.git/index: " + errGitIndex.Error(), no + "/bad/.git/index: " + errGitIndex.Error()},
		"/odd/x":    {no + "/odd/.git: neither a directory nor the name of one", no + "/odd/.git: neither a directory nor the name of one", no + "/odd/.git: neither a directory nor the name of one"},
	} {
		wantFacts(t, at(t, h, path), map[string]string{"git.remote": want[0], "git.tracked": want[1], "git.unmodified": want[2]})
	}
	if n := len(h.repos.repos); n != 7 {
		t.Errorf("got %d repositories kept, want 7", n)
	}
}

func TestGitCacheIsBounded(t *testing.T) {
	h := foreign(t, nil)
	for i := range 3 * maxRepositories {
		h.repos.at(h.tree, fmt.Sprint("/", i))
	}
	if n := len(h.repos.repos); n != maxRepositories {
		t.Errorf("got %d, want %d", n, maxRepositories)
	}
}

func FuzzGitIndex(f *testing.F) {
	f.Add([]byte(gitIndexOf(2, false, "TREE", indexed{"a", "a", 0, 0})), 20)
	f.Add([]byte(gitIndexOf(4, true, "link", indexed{"a/b", "a", 0, 0}, indexed{"a/c", "", gitExtended, 0})), 32)
	f.Fuzz(func(t *testing.T, index []byte, size int) {
		if size != 32 {
			size = 20
		}
		files, _ := readGitIndex(bufio.NewReader(bytes.NewReader(index)), size)
		if len(files) > len(index)/60 {
			t.Errorf("got %d entries from %d bytes", len(files), len(index))
		}
	})
}
