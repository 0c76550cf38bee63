package nodes

// Demand is what a trace asks of its nodes: the distinct pods in it and how many of each at any time. A [Survey]
// makes it. It is read-only.
type Demand struct {
	// Notes tell what the survey could not judge.
	Notes []string
}
