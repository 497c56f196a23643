// Sock opens TCP and UDP sockets from the command line, with the flags of the
// program that W. Richard Stevens used for the experiments of TCP/IP
// Illustrated.
package main

import (
	"errors"
	"fmt"
	"os"

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
	o, err := opts.Parse(args)
	if err == nil {
		err = instead(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if o.Help || o.Version || o.Man || o.Completion != "" {
		return 0
	}
	h, err := kernel.New()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if o.Raw || o.Hub {
		return raw.Main(h, o)
	}
	return modes.Run(h, o)
}

// instead does what was asked for in place of a connection, if anything was.
func instead(o *opts.Options) error {
	switch {
	case o.Lab:
		return errors.New("--lab comes first, and then what to do with labs, as in sock --lab list")
	case o.Help:
		opts.Usage(os.Stdout)
	case o.Version:
		fmt.Println("sock: version " + version)
	case o.Man:
		return man.Show(os.Stdout)
	case o.Completion != "":
		text, err := opts.Completion(o.Completion)
		if err != nil {
			return err
		}
		fmt.Print(text)
	}
	return nil
}
