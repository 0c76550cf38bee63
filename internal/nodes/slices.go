package nodes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Devices are the objects that make devices known to the scheduler.
type Devices struct {
	// Classes are those that pods use and that are not in the trace.
	Classes []*resourcev1.DeviceClass
	// Slices list the devices of the nodes.
	Slices []*resourcev1.ResourceSlice
}

// take moves the devices from the resources of the nodes to slices.
func (s *deviceSet) take(nodes []*corev1.Node) Devices {
	s.complete()
	var devices Devices
	for _, class := range slices.Sorted(maps.Keys(s.missing)) {
		devices.Classes = append(devices.Classes, &resourcev1.DeviceClass{
			ObjectMeta: metav1.ObjectMeta{Name: class},
			Spec: resourcev1.DeviceClassSpec{Selectors: []resourcev1.DeviceSelector{{
				CEL: &resourcev1.CELDeviceSelector{Expression: fmt.Sprintf("device.driver == %q", class)},
			}}},
		})
	}
	for _, node := range nodes {
		byDriver := map[string][]resourcev1.Device{}
		for _, name := range sortedResources(node.Status.Allocatable) {
			kind := s.kinds[name]
			if kind == nil {
				continue
			}
			quantity := node.Status.Allocatable[name]
			for range quantity.Value() {
				byDriver[kind.driver] = append(byDriver[kind.driver], kind.device(len(byDriver[kind.driver])))
			}
			delete(node.Status.Allocatable, name)
			delete(node.Status.Capacity, name)
		}
		for _, driver := range slices.Sorted(maps.Keys(byDriver)) {
			devices.Slices = append(devices.Slices, slicesOf(node.Name, driver, byDriver[driver])...)
		}
	}
	return devices
}

// complete adds to every kind the attributes and capacities of all others, with values that mean
// nothing: the scheduler gives up on a pod if a selector compares one that a device does not have.
func (s *deviceSet) complete() {
	attributes := map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{}
	for _, name := range slices.Sorted(maps.Keys(s.kinds)) {
		for attribute, value := range s.kinds[name].attributes {
			attributes[attribute] = meaningless(value)
		}
	}
	for _, kind := range s.kinds {
		for name, value := range attributes {
			if _, has := kind.attributes[name]; !has {
				kind.attributes[name] = value
			}
		}
		for _, other := range s.kinds {
			for name := range other.capacity {
				if _, has := kind.capacity[name]; !has {
					kind.capacity[name] = resourcev1.DeviceCapacity{Value: *resource.NewQuantity(0, resource.BinarySI)}
				}
			}
		}
	}
}

// meaningless returns an attribute of the same type.
func meaningless(like resourcev1.DeviceAttribute) resourcev1.DeviceAttribute {
	switch {
	case like.BoolValue != nil:
		return resourcev1.DeviceAttribute{BoolValue: new(bool)}
	case like.IntValue != nil:
		return resourcev1.DeviceAttribute{IntValue: new(int64)}
	case like.VersionValue != nil:
		version := "0.0.0"
		return resourcev1.DeviceAttribute{VersionValue: &version}
	}
	none := "none"
	return resourcev1.DeviceAttribute{StringValue: &none}
}

// device returns a device of a kind with a number.
func (k *deviceKind) device(number int) resourcev1.Device {
	device := resourcev1.Device{
		Name:       fmt.Sprintf("device-%d", number),
		Attributes: maps.Clone(k.attributes),
		Capacity:   maps.Clone(k.capacity),
	}
	for _, name := range k.distinct {
		value := device.Name
		device.Attributes[name] = resourcev1.DeviceAttribute{StringValue: &value}
	}
	return device
}

// slicesOf returns the slices of a driver on a node.
func slicesOf(node, driver string, devices []resourcev1.Device) []*resourcev1.ResourceSlice {
	var list []*resourcev1.ResourceSlice
	for chunk := range slices.Chunk(devices, resourcev1.ResourceSliceMaxDevices) {
		list = append(list, &resourcev1.ResourceSlice{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%s-%d", node, driver, len(list))},
			Spec: resourcev1.ResourceSliceSpec{
				Driver:   driver,
				NodeName: &node,
				Pool:     resourcev1.ResourcePool{Name: node, Generation: 1},
				Devices:  chunk,
			},
		})
	}
	for _, slice := range list {
		slice.Spec.Pool.ResourceSliceCount = int64(len(list))
	}
	return list
}

// Create creates the objects. Classes that exist already are kept.
func (d Devices) Create(ctx context.Context, client kubernetes.Interface) error {
	for _, class := range d.Classes {
		_, err := client.ResourceV1().DeviceClasses().Create(ctx, class, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create DeviceClass %s: %w", class.Name, err)
		}
	}
	for _, slice := range d.Slices {
		if _, err := client.ResourceV1().ResourceSlices().Create(ctx, slice, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create the devices of node %s: %w", *slice.Spec.NodeName, err)
		}
	}
	return nil
}

// text describes what is made, or is empty.
func (d Devices) text() string {
	nodes, drivers, count := map[string]bool{}, map[string]bool{}, 0
	for _, slice := range d.Slices {
		nodes[*slice.Spec.NodeName], drivers[slice.Spec.Driver] = true, true
		count += len(slice.Spec.Devices)
	}
	if count == 0 {
		return ""
	}
	text := fmt.Sprintf("%d devices of %s on %d nodes, which resource claims select", count,
		strings.Join(slices.Sorted(maps.Keys(drivers)), ", "), len(nodes))
	var classes []string
	for _, class := range d.Classes {
		classes = append(classes, class.Name)
	}
	if len(classes) > 0 {
		text += "; the trace has no " + deviceClassKind + " " + strings.Join(classes, ", ") + ": added one that selects the driver of this name"
	}
	return text
}
