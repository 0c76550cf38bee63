// Package subprocess starts programs in process groups of their own, and ends them with everything
// that they have started.
//
// A [Program] also ends if the process that started it is killed: a guard, a process between the
// two, notices that.
package subprocess
