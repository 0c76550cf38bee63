package replay

import "strings"

// namespace moves a reference to a namespace into the simulation.
func (i *isolation) namespace(in map[string]any) {
	if name, _ := in["namespace"].(string); name != "" {
		in["namespace"] = i.names.Simulated(name)
	}
}

// roleBinding moves the subjects of a binding to simulated namespaces.
func (i *isolation) roleBinding(object map[string]any) {
	for _, subject := range objectsIn(object["subjects"]) {
		i.namespace(subject)
	}
}

// networkPolicy restricts the peers of a policy to the namespaces of the simulation.
func (i *isolation) networkPolicy(spec map[string]any) {
	for list, peers := range map[string]string{"ingress": "from", "egress": "to"} {
		for _, rule := range objectsIn(spec[list]) {
			for _, peer := range objectsIn(rule[peers]) {
				if selector, ok := peer["namespaceSelector"].(map[string]any); ok {
					i.namespaceSelector(selector)
				}
			}
		}
	}
}

// gateway moves all references of an object of the Gateway API to simulated namespaces.
func (i *isolation) gateway(value any) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			i.gateway(element)
		}
	case map[string]any:
		i.namespace(value)
		if namespaces, ok := value["namespaces"].(map[string]any); ok {
			if selector, ok := namespaces["selector"].(map[string]any); ok {
				i.namespaceSelector(selector)
			}
		}
		for _, element := range value {
			i.gateway(element)
		}
	}
}

// serviceName returns the name of a Service in the DNS of the cluster as it is in the simulation:
// NAME.NAMESPACE.svc with or without a domain. Other names are returned as they are.
func (i *isolation) serviceName(name string) string {
	parts := strings.SplitN(name, ".", 4)
	if len(parts) < 3 || parts[2] != "svc" {
		return name
	}
	parts[1] = i.names.Simulated(parts[1])
	return strings.Join(parts, ".")
}
