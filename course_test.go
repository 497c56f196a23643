//go:build linux

package main

import (
	"os/exec"
	"testing"

	"sock/modes/lab"
)

// TestCourse runs the scripts of the course, with a process for each host. They
// show what they promise.
func TestCourse(t *testing.T) {
	all, err := lab.Course()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			out, err := exec.Command("sock", "--lab", "course", "run", e.Name).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
