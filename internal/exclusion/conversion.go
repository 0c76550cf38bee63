package exclusion

import "simkube.io/simkube/trace"

// ConversionText says what happens to the definitions that RemoveConversion changes.
const ConversionText = "their webhooks do not run, so their objects keep the fields of the version in which they were recorded"

// RemoveConversion replaces the conversion by a webhook in the manifest of a custom resource
// definition, and reports whether there was one. Without its server, every request for a version
// other than the stored one would fail.
func RemoveConversion(manifest map[string]any) bool {
	spec, _ := manifest["spec"].(map[string]any)
	conversion, _ := spec["conversion"].(map[string]any)
	if strategy, _ := conversion["strategy"].(string); strategy != "Webhook" {
		return false
	}
	spec["conversion"] = map[string]any{"strategy": "None"}
	return true
}

// ConvertsByWebhook reports whether an object is a custom resource definition with a webhook that
// converts its objects.
func ConvertsByWebhook(object *trace.Object) bool {
	if object.GVK().GroupKind() != Definition {
		return false
	}
	u, err := object.Unstructured()
	return err == nil && RemoveConversion(u.Object)
}
