package results

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// handlingTime is how long a scheduler takes at most until it handles a pod.
const handlingTime = 5 * time.Second

// The beginnings of reasons why the scheduler does not handle a pod. It sets no message then.
const (
	noScheduler = "no scheduler has the name"
	noDevices   = "the scheduler waits for the resource claims of the pod"
)

// unhandled returns why the scheduler does not handle a pod, if it does not: "" if it must.
func unhandled(pod *corev1.Pod) string {
	switch name := pod.Spec.SchedulerName; {
	case name != "" && name != corev1.DefaultSchedulerName:
		return fmt.Sprintf("%s %q", noScheduler, name)
	case len(pod.Spec.ResourceClaims) > 0:
		return noDevices + ", or for their templates"
	}
	return ""
}

const (
	schedulerAction = "add a profile of this name (--scheduler-config), or change schedulerName in the pods (skctl transform)"
	devicesAction   = "record ResourceClaims and ResourceClaimTemplates too"
)

const placeAction = "give the simulation the nodes that the pods need (--nodes, --node-shape), or nothing, if this is the result that was asked for"

// claimAction is for pods that wait for volumes: nodes do not help.
const claimAction = "record the StorageClass and the volumes that their claims name, or remove the name of the class, so that the default class is used (skctl validate names it)"

// autoscalerFound begins the reasons of an autoscaler.
const autoscalerFound = "the autoscaler found none: "

const autoscalerAction = "see in decisions.parquet what the pods need, and change the node pools or the instance types (--nodepools, --instance-types), or nothing, if this is the result that was asked for"

// placing returns what to do about pods that never got a node, by the reason.
func placing(message string) string {
	for _, waits := range []string{"unbound immediate PersistentVolumeClaims", "persistentvolumeclaim \"", "storageclass.storage.k8s.io \""} {
		if strings.Contains(message, waits) {
			return claimAction
		}
	}
	switch {
	case strings.HasPrefix(message, autoscalerFound):
		return autoscalerAction
	case strings.HasPrefix(message, noScheduler):
		return schedulerAction
	case strings.HasPrefix(message, noDevices):
		return devicesAction
	}
	return placeAction
}
