package simulation

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// DefaultClass returns the name of the StorageClass that the cluster must have as the default
// beside those of the trace, or "".
func (p *Prepared) DefaultClass() string {
	if p.volumes == nil {
		return ""
	}
	return p.volumes.DefaultClass
}

// volumeNotes returns the notes about volumes.
func (p *Prepared) volumeNotes() []Note {
	if p.volumes == nil {
		return nil
	}
	var notes []Note
	for _, text := range p.volumes.Infos(p.hostnames()) {
		notes = append(notes, Note{Level: Info, Text: text})
	}
	for _, text := range p.volumes.Warnings() {
		notes = append(notes, Note{Level: Warning, Text: text})
	}
	return notes
}

// hostnames returns the names of the nodes' hosts.
func (p *Prepared) hostnames() []string {
	hosts := make([]string, 0, len(p.plan.Nodes))
	for _, node := range p.plan.Nodes {
		hosts = append(hosts, node.Labels[corev1.LabelHostname])
	}
	return hosts
}

// limitVolumes sets how many volumes the nodes take.
func (s *session) limitVolumes(ctx context.Context) error {
	if s.volumes == nil {
		return nil
	}
	if err := s.volumes.CreateCSINodes(ctx, s.client, s.plan.Nodes); err != nil {
		return fmt.Errorf("limit the volumes of nodes: %w", err)
	}
	return nil
}
