package volumes

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// createConcurrency is the number of CSINodes created at a time.
const createConcurrency = 16

// drivers returns, for each driver with a limit, the entry of a CSINode with the limit that most
// nodes have; of several, the lowest.
func (s *Survey) drivers() []storagev1.CSINodeDriver {
	count := map[string]map[int32]int{}
	entries := map[string]map[int32]storagev1.CSINodeDriver{}
	for _, node := range slices.Sorted(maps.Keys(s.nodes)) {
		for _, driver := range s.nodes[node] {
			if driver.Allocatable == nil || driver.Allocatable.Count == nil {
				continue
			}
			if count[driver.Name] == nil {
				count[driver.Name], entries[driver.Name] = map[int32]int{}, map[int32]storagev1.CSINodeDriver{}
			}
			count[driver.Name][*driver.Allocatable.Count]++
			entries[driver.Name][*driver.Allocatable.Count] = driver
		}
	}
	var drivers []storagev1.CSINodeDriver
	for _, name := range slices.Sorted(maps.Keys(count)) {
		limits := slices.SortedFunc(maps.Keys(count[name]), func(a, b int32) int {
			return cmp.Or(cmp.Compare(count[name][b], count[name][a]), cmp.Compare(a, b))
		})
		drivers = append(drivers, entries[name][limits[0]])
	}
	return drivers
}

// CreateCSINodes creates the CSINodes of nodes: those that were recorded for nodes of the same
// name, and for the others one with the limits of most recorded nodes.
func (n *Needs) CreateCSINodes(ctx context.Context, client kubernetes.Interface, nodes []*corev1.Node) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(createConcurrency)
	for _, node := range nodes {
		drivers, recorded := n.nodes[node.Name]
		if !recorded {
			drivers = n.Drivers
		}
		if len(drivers) == 0 {
			continue
		}
		csiNode := &storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: node.Name}}
		for _, driver := range drivers {
			if !recorded {
				driver.NodeID = node.Name
			}
			csiNode.Spec.Drivers = append(csiNode.Spec.Drivers, driver)
		}
		group.Go(func() error {
			_, err := client.StorageV1().CSINodes().Create(ctx, csiNode, metav1.CreateOptions{})
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return fmt.Errorf("create CSINode %s: %w", csiNode.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}
