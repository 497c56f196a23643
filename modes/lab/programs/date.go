package programs

import (
	"fmt"

	"sock/modes"
)

// Date prints the time of day, as the book does before and after what takes
// long. It returns its exit status.
func Date(h modes.Host) int {
	fmt.Fprintln(h.Stdout(), h.Now().Format("Mon Jan _2 15:04:05 MST 2006"))
	return 0
}
