package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
)

// result is one line of the file of results.
type result struct {
	Phase   string `json:"phase"`
	Rules   string `json:"rules"`
	Tree    string `json:"tree,omitempty"`
	Files   int64  `json:"files,omitempty"`
	Bytes   int64  `json:"bytes,omitempty"`
	ELF     int64  `json:"elf,omitempty"` // files of the tree that are programs
	PE      int64  `json:"pe,omitempty"`
	Engine  string `json:"engine"`
	Version string `json:"version"`
	Threads int    `json:"threads,omitempty"`
	Run     int    `json:"run"`
	Matches int    `json:"matches"`
	Differ  int    `json:"differ"` // answers in which the engine is not with Besra
	measure
}

const (
	phaseCompile = "compile"
	phaseStart   = "start" // a scan of an empty folder, on one thread
	phaseScan    = "scan"
)

// results is the file that results are appended to.
type results struct {
	file *os.File
	enc  *json.Encoder
}

func openResults(name string) (*results, error) {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &results{f, json.NewEncoder(f)}, nil
}

func (s *results) add(r result) {
	if err := s.enc.Encode(r); err != nil {
		log.Fatal(err)
	}
}

func (s *results) close() { s.file.Close() }

// readResults reads the file. Of what was measured again the newest counts.
func readResults(name string) ([]result, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	type key struct {
		phase, rules, tree, engine string
		threads, run               int
	}
	at := make(map[key]int)
	var list []result
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		k := key{r.Phase, r.Rules, r.Tree, r.Engine, r.Threads, r.Run}
		if i, again := at[k]; again {
			list[i] = r
			continue
		}
		at[k] = len(list)
		list = append(list, r)
	}
	return list, lines.Err()
}
