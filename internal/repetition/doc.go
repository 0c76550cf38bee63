// Package repetition runs the same simulation several times, each run in a process of its own, as
// many at once as the machine has cores and memory for, and collects the results in one folder.
//
// [Plan] decides how many may run and what each gets; it takes the machine and the runs as
// arguments. [MemoryAvailable] reads the machine. [Simulate] combines the two with package
// skcluster.
package repetition
