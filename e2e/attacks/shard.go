package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// shard is a part of the scripts: those whose number leaves the rest At when it is divided by Of.
type shard struct{ At, Of int }

// Set reads "i/n", the i-th part of n from 1.
func (s *shard) Set(text string) error {
	var at, of int
	if n, err := fmt.Sscanf(text, "%d/%d", &at, &of); err != nil || n != 2 || of < 1 || at < 1 || at > of || text != fmt.Sprintf("%d/%d", at, of) {
		return fmt.Errorf("%q is no part such as 2/3", text)
	}
	s.At, s.Of = at-1, of
	return nil
}

func (s *shard) String() string {
	if s.Of == 0 {
		return "1/1"
	}
	return fmt.Sprintf("%d/%d", s.At+1, s.Of)
}

// of returns the scripts of the part.
func (s *shard) of(scripts []script) (part []script) {
	for i, one := range scripts {
		if s.Of == 0 || i%s.Of == s.At {
			part = append(part, one)
		}
	}
	return part
}

// earlier returns the rows of an earlier run that stand in a file, by their names; none
// when there is no such file. A script that could not be tried is tried again.
func earlier(path string) (map[string]row, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]row{}, nil
	}
	if err != nil {
		return nil, err
	}
	var s summary
	if err := json.Unmarshal(content, &s); err != nil {
		return nil, fmt.Errorf("read the rows of %s: %w", path, err)
	}
	rows := make(map[string]row, len(s.Rows))
	for _, r := range s.Rows {
		if r.Outcome != outcomeError("runner") {
			rows[r.Name] = r
		}
	}
	return rows, nil
}
