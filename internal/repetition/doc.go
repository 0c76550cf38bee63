// Package repetition runs the same simulation several times, each run in a process of its own, as many at once as the
// machine has cores and memory for, and gathers what they came to in one folder.
//
// What decides is apart from what acts: [Plan] knows how many may run and what each is given, and takes machine and
// runs as arguments; [MemoryAvailable] reads the machine; [Simulate] puts the two together with package skcluster.
package repetition
