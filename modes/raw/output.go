package raw

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// output is where a view is written. What one Write gets is a whole: a line, or
// a block of a capture. None is torn, so that a capture can be read whenever its
// writer has died, or the disk was full.
type output struct {
	name string
	w    io.Writer
	file *os.File // w, if it is to be closed
	buf  []byte
	size int64             // what is written
	err  error             // the first; from then on nothing is written
	tell func(text string) // says what went wrong
}

// enough is how many bytes are written at once, about.
const enough = 64 << 10

// Write keeps p until there is enough, or Flush is called.
func (o *output) Write(p []byte) (int, error) {
	if len(o.buf)+len(p) > enough {
		o.Flush()
	}
	if o.err != nil {
		return 0, o.err
	}
	o.buf = append(o.buf, p...)
	return len(p), nil
}

// Flush writes what is kept.
func (o *output) Flush() {
	if len(o.buf) == 0 || o.err != nil {
		return
	}
	_, err := o.w.Write(o.buf)
	if err == nil {
		o.size += int64(len(o.buf))
	} else if o.file != nil {
		_ = o.file.Truncate(o.size) // not if it is a pipe
	}
	o.buf = o.buf[:0]
	o.fail(err)
}

// Close writes what is kept, and closes the file.
func (o *output) Close() {
	o.Flush()
	if o.file != nil {
		o.fail(o.file.Close())
	}
}

// fail tells of the first error.
func (o *output) fail(err error) {
	if err == nil || o.err != nil {
		return
	}
	o.err = err
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // its name is told
	}
	o.tell(o.name + " ends here: " + err.Error())
}

// direct is an output of which nothing is kept.
type direct struct{ *output }

// Write writes p at once.
func (d direct) Write(p []byte) (int, error) {
	n, _ := d.output.Write(p) // its error is d.err
	d.Flush()
	return n, d.err
}
