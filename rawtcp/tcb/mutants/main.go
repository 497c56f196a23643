// Command mutants asks whether the tests of the machine would notice if it were
// wrong. It makes one mistake after the other in the sources of package tcb, runs
// the tests, and prints which of them caught it:
//
//	go run ./rawtcp/tcb/mutants            all mistakes
//	go run ./rawtcp/tcb/mutants RST PAWS   those with these words in their names
//
// The tree is never touched: go test -overlay is given the changed file in place
// of the other one. The exit code is 1 if a mistake goes unnoticed, or the text
// that it replaces is not there any more.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// target is the package whose tests are run.
const target = "sock/rawtcp/tcb"

// mutant is a mistake: in file, old becomes new.
type mutant struct{ name, file, old, new string }

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", target).Output()
	if err != nil {
		return fmt.Errorf("go list %s: %w", target, err)
	}
	dir := strings.TrimSpace(string(out))
	temp, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)

	if failed, err := test(""); err != nil || len(failed) > 0 {
		return fmt.Errorf("without any mistake: %v fail: %w", failed, err)
	}
	total, wrong := 0, 0
	for _, m := range mutants {
		if !m.named(words) {
			continue
		}
		total++
		by := ""
		failed, err := m.try(dir, temp)
		switch {
		case err != nil:
			by = "ERROR: " + err.Error()
		case len(failed) == 0:
			by = "NOT CAUGHT"
		case len(failed) > 3:
			by = fmt.Sprintf("%s and %d more", strings.Join(failed[:3], " "), len(failed)-3)
		default:
			by = strings.Join(failed, " ")
		}
		if err != nil || len(failed) == 0 {
			wrong++
		}
		fmt.Printf("%-40s %-13s %s\n", m.name, m.file, by)
	}
	fmt.Printf("%d of %d mistakes caught\n", total-wrong, total)
	if wrong > 0 {
		return fmt.Errorf("%d went unnoticed, or could not be made", wrong)
	}
	return nil
}

// named reports whether the name of m has one of the words, if there are any.
func (m *mutant) named(words []string) bool {
	return len(words) == 0 || slices.ContainsFunc(words, func(word string) bool {
		return strings.Contains(m.name, word)
	})
}

// try runs the tests with m, and returns those that fail.
func (m *mutant) try(dir, temp string) ([]string, error) {
	path := filepath.Join(dir, m.file)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(text, []byte(m.old)); n != 1 {
		return nil, fmt.Errorf("its text is there %d times", n)
	}
	text = bytes.Replace(text, []byte(m.old), []byte(m.new), 1)
	changed := filepath.Join(temp, m.file)
	if err := os.WriteFile(changed, text, 0o600); err != nil {
		return nil, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		return nil, err
	}
	name := filepath.Join(temp, "overlay.json")
	if err := os.WriteFile(name, overlay, 0o600); err != nil {
		return nil, err
	}
	return test(name)
}

// test runs the tests with an overlay, and returns the names of those that fail.
// TestCorpus is left out: any change may keep it from where it is to arrive, and
// it does not say what is wrong.
func test(overlay string) ([]string, error) {
	cmd := exec.Command("go", "test", "-json", "-short", "-vet=off", "-skip=^TestCorpus$", "-timeout=1m",
		"-overlay="+overlay, target)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	var failed []string
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e struct{ Action, Test, Output string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(e.Test, "/")
		switch {
		case e.Action == "build-fail":
			return nil, errors.New("it does not compile")
		case name == "" || slices.Contains(failed, name):
		case e.Action == "fail", strings.HasPrefix(e.Output, "panic: "):
			// After a panic, or when time is up, there is no "fail".
			failed = append(failed, name)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if err != nil && len(failed) == 0 {
		return nil, fmt.Errorf("no test fails, but go test does: %s", exit.Stderr)
	}
	return failed, nil
}
