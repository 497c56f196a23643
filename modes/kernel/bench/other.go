//go:build !linux

package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: needs Linux's /proc and namespaces, this is", runtime.GOOS)
	os.Exit(1)
}
