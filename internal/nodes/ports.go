package nodes

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/words"
)

// hostPort is a port that a pod takes on its node.
type hostPort struct {
	protocol corev1.Protocol
	ip       string
	port     int32
}

// anyIP is the address of a port that is taken on all addresses of a node.
const anyIP = "0.0.0.0"

// conflicts reports whether two pods with these ports exclude each other on a node.
func (p hostPort) conflicts(other hostPort) bool {
	return p.protocol == other.protocol && p.port == other.port &&
		(p.ip == other.ip || p.ip == anyIP || other.ip == anyIP)
}

func (p hostPort) String() string { return fmt.Sprintf("%d/%s", p.port, p.protocol) }

// portsOnHost returns the ports of a container that are taken on the node, with the defaults of an
// API server, and nothing else about them.
func portsOnHost(ports []corev1.ContainerPort, hostNetwork bool) []corev1.ContainerPort {
	var out []corev1.ContainerPort
	for _, port := range ports {
		if port.HostPort == 0 && hostNetwork {
			port.HostPort = port.ContainerPort
		}
		if port.HostPort <= 0 {
			continue
		}
		out = append(out, corev1.ContainerPort{
			HostPort: port.HostPort,
			Protocol: cmp.Or(port.Protocol, corev1.ProtocolTCP),
			HostIP:   cmp.Or(port.HostIP, anyIP),
		})
	}
	return out
}

// hostPorts returns the ports of a spec that was made with portsOnHost. As in the scheduler, init
// containers count only if they are sidecars.
func hostPorts(spec *corev1.PodSpec) []hostPort {
	var ports []hostPort
	add := func(container *corev1.Container) {
		for _, port := range container.Ports {
			ports = append(ports, hostPort{port.Protocol, port.HostIP, port.HostPort})
		}
	}
	for i := range spec.Containers {
		add(&spec.Containers[i])
	}
	for i := range spec.InitContainers {
		if policy := spec.InitContainers[i].RestartPolicy; policy != nil && *policy == corev1.ContainerRestartPolicyAlways {
			add(&spec.InitContainers[i])
		}
	}
	return ports
}

// conflict reports whether any of the ports is taken already.
func conflict(ports, taken []hostPort) bool {
	return slices.ContainsFunc(ports, func(port hostPort) bool {
		return slices.ContainsFunc(taken, port.conflicts)
	})
}

// portFindings returns the pods that exceed the number of nodes, because pods of one template take
// the same port of their node.
func portFindings(feasible []*class, template *podTemplate, owners []Owner) []Finding {
	if len(template.ports) == 0 {
		return nil
	}
	count, _ := places(feasible, corev1.LabelHostname)
	var findings []Finding
	for _, owner := range owners {
		if owner.Pods > count {
			findings = append(findings, Finding{
				Owners: []Owner{owner},
				Pods:   owner.Pods - count,
				Reason: fmt.Sprintf("uses port %s of its node: %d pods need a node each, and only %s can run them",
					template.ports[0], owner.Pods, words.Count(count, "node")),
			})
		}
	}
	return findings
}
