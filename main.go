// Sock opens TCP and UDP sockets from the command line, with the flags of the
// program that W. Richard Stevens used for the experiments of TCP/IP
// Illustrated.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"sock/man"
	"sock/modes"
	"sock/modes/kernel"
	"sock/modes/lab"
	"sock/modes/raw"
	"sock/opts"
)

// version is set when the program is built: see the Makefile.
var version = "devel"

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) == 0 {
		opts.Usage(os.Stderr)
		return 1
	}
	if args[0] == "--lab" {
		return lab.Main(args[1:], os.Stdin, os.Stdout, os.Stderr)
	}
	status, err := obey(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

// obey does what the command line asks for, and gives the exit status. The error
// is one that has not been reported yet.
func obey(args []string) (status int, err error) {
	o, err := opts.Parse(args)
	if err != nil {
		return 0, err
	}
	text, err := instead(o)
	if err != nil {
		return 0, err
	}
	if text != "" {
		return 0, show(text)
	}
	h, err := kernel.New()
	if err != nil {
		return 0, err
	}
	if o.Raw || o.Hub {
		return raw.Main(h, o), nil
	}
	return modes.Run(h, o), nil
}

// instead gives the text that was asked for in place of a connection, or "".
func instead(o *opts.Options) (string, error) {
	var text strings.Builder
	switch {
	case o.Lab:
		return "", errors.New("--lab comes first, and then what to do with labs, as in sock --lab list")
	case o.Help:
		opts.Usage(&text)
	case o.Version:
		fmt.Fprintln(&text, "sock: version "+version)
	case o.Man:
		if err := man.Show(&text); err != nil {
			return "", err
		}
	case o.Completion != "":
		return opts.Completion(o.Completion)
	}
	return text.String(), nil
}

// show writes text on standard output. If its reader has gone, Go ends the
// process by SIGPIPE, without a word.
func show(text string) error {
	_, err := os.Stdout.WriteString(text)
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("standard output: %w", path.Err) // without its name
	}
	return err
}
