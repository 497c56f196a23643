package raw

import "sock/rawtcp/loop"

// errno returns what a kernel would have given for err. What is no error of a
// system call, such as io.EOF, stays what it is.
func errno(err error) error {
	if e, ok := loop.Errno(err); ok {
		return e
	}
	return err
}
