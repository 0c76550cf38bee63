// Package karpenter runs Karpenter as a component of the control plane: its own controllers,
// unchanged, with a cloud provider whose instances are simulated nodes.
//
// Karpenter decides which nodes are created and removed. The provider decides how long that takes.
// Instances have no processes: KWOK makes their nodes ready.
package karpenter
