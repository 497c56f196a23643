//go:build !unix

package hub

import (
	"io/fs"
	"net"
)

// listenFile listens on a Unix-domain socket whose file is path.
func listenFile(path string, _ fs.FileMode) (net.Listener, error) { return net.Listen("unix", path) }

func socketName(path string) string { return path }

func isReset(error) bool { return false }
