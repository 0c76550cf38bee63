package v1

// ExportReport describes what the request left out of a trace, and what had no effect on it. A
// tracer sends it if the request selects namespaces or has a program.
//
// +kubebuilder:object:generate=false
type ExportReport struct {
	// LeftOut are the namespaces with objects that are not in the trace because of their namespace,
	// those with the most objects first.
	// +optional
	LeftOut []LeftOutNamespace `json:"left_out,omitempty"`
	// MoreNamespaces is the number of namespaces that do not fit into LeftOut, MoreObjects that of
	// their objects.
	// +optional
	MoreNamespaces int64 `json:"more_namespaces,omitempty"`
	// +optional
	MoreObjects int64 `json:"more_objects,omitempty"`
	// Unmatched are the commands of the program that changed nothing.
	// +optional
	Unmatched []UnmatchedCommand `json:"unmatched,omitempty"`
	// MoreUnmatched is the number of commands that do not fit into Unmatched.
	// +optional
	MoreUnmatched int64 `json:"more_unmatched,omitempty"`
}

// LeftOutNamespace is a namespace that is left out of a trace.
//
// +kubebuilder:object:generate=false
type LeftOutNamespace struct {
	Namespace string `json:"namespace"`
	// Objects is the number of objects that are left out, without those that others in the namespace
	// own, such as pods of a Deployment.
	Objects int64 `json:"objects"`
}

// UnmatchedCommand is a command of a program that changed nothing.
//
// +kubebuilder:object:generate=false
type UnmatchedCommand struct {
	// Line is its line in the program, from 1.
	Line    int    `json:"line"`
	Command string `json:"command"`
	// Hint says what in the command is not in the trace, and what may have been meant.
	// +optional
	Hint string `json:"hint,omitempty"`
}
