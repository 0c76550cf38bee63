package replay

// pod renames the references in a pod's spec, and restricts its affinities to pods of the
// simulation: a simulated pod with an anti-affinity to all pods would keep other workloads away.
func (i *isolation) pod(spec map[string]any) {
	i.class(priorityClassKind, spec, "priorityClassName")
	i.class(runtimeClassKind, spec, "runtimeClassName")
	for _, volume := range objectsIn(spec["volumes"]) {
		ephemeral, _ := volume["ephemeral"].(map[string]any)
		template, _ := ephemeral["volumeClaimTemplate"].(map[string]any)
		if claim, ok := template["spec"].(map[string]any); ok {
			i.claim(claim)
		}
	}
	affinity, _ := spec["affinity"].(map[string]any)
	for _, kind := range []string{"podAffinity", "podAntiAffinity"} {
		terms, _ := affinity[kind].(map[string]any)
		for _, term := range objectsIn(terms["requiredDuringSchedulingIgnoredDuringExecution"]) {
			i.affinity(term)
		}
		for _, weighted := range objectsIn(terms["preferredDuringSchedulingIgnoredDuringExecution"]) {
			if term, ok := weighted["podAffinityTerm"].(map[string]any); ok {
				i.affinity(term)
			}
		}
	}
}

// affinity makes a term select simulated namespaces. A term without namespaces is about the
// namespace of the pod.
func (i *isolation) affinity(term map[string]any) {
	names, _ := term["namespaces"].([]any)
	for n, name := range names {
		if name, ok := name.(string); ok {
			names[n] = i.names.Simulated(name)
		}
	}
	selector, ok := term["namespaceSelector"].(map[string]any)
	if !ok {
		return
	}
	i.namespaceSelector(selector)
}

// metadataName is the label of every namespace with its name, which the API server sets.
const metadataName = "kubernetes.io/metadata.name"

// namespaceSelector makes a selector match namespaces of the simulation only.
func (i *isolation) namespaceSelector(selector map[string]any) {
	labels := child(selector, "matchLabels")
	if name, ok := labels[metadataName].(string); ok {
		labels[metadataName] = i.names.Simulated(name)
	}
	for key, value := range i.namespaces {
		labels[key] = value
	}
	for _, expression := range objectsIn(selector["matchExpressions"]) {
		values, _ := expression["values"].([]any)
		if expression["key"] != metadataName {
			continue
		}
		for n, value := range values {
			if name, ok := value.(string); ok {
				values[n] = i.names.Simulated(name)
			}
		}
	}
}
