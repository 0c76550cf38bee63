package volumes

import "testing"

func TestBinding(t *testing.T) {
	const (
		unbound = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: files}, spec: {storageClassName: gp3}}"
		bound   = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: files}, spec: {storageClassName: gp3, volumeName: pvc-1}}"
		dynamic = `{apiVersion: v1, kind: PersistentVolume, metadata: {name: pvc-1, annotations: {pv.kubernetes.io/provisioned-by: ebs.csi.aws.com}},
			spec: {storageClassName: gp3, persistentVolumeReclaimPolicy: Delete, claimRef: {namespace: shop, name: files}}}`
		manual = "{apiVersion: v1, kind: PersistentVolume, metadata: {name: pvc-1}, spec: {storageClassName: gp3}}"
		other  = "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: files}}"
	)
	for name, c := range map[string]struct {
		events []event
		want   string // the volume of shop/files in the last event
		omits  bool   // whether the volume is omitted in the last event
	}{
		"bound when recorded":            {[]event{{applied: []string{bound, dynamic}}}, "pvc-1", false},
		"in several versions":            {[]event{{applied: []string{unbound, dynamic, bound}}}, "pvc-1", false},
		"provisioned later":              {[]event{{applied: []string{unbound}}, {applied: []string{dynamic, bound}}}, "", true},
		"volume later, again":            {[]event{{applied: []string{unbound}}, {applied: []string{dynamic, bound}}, {applied: []string{dynamic, bound}}}, "", true},
		"volume by hand, later":          {[]event{{applied: []string{unbound}}, {applied: []string{manual, bound}}}, "", false},
		"volume by hand, before":         {[]event{{applied: []string{manual}}, {applied: []string{bound}}}, "pvc-1", false},
		"volumes not recorded":           {[]event{{applied: []string{bound}}}, "", false},
		"claims not recorded":            {[]event{{applied: []string{dynamic}}}, "", false},
		"claims not recorded, later":     {[]event{{applied: []string{other}}, {applied: []string{dynamic}}}, "", true},
		"created with its volume, later": {[]event{{applied: []string{other}}, {applied: []string{unbound, dynamic, bound}}}, "pvc-1", false},
		"deleted and made again": {
			[]event{{applied: []string{bound, dynamic}}, {deleted: []string{bound, dynamic}}, {applied: []string{unbound}}}, "", false,
		},
		"in the event of its deletion": {[]event{{applied: []string{bound, dynamic}}, {applied: []string{bound}, deleted: []string{bound}}}, "pvc-1", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := NewBinding()
			for _, e := range c.events {
				b.Add(e.decode(t))
			}
			if got, _ := b.Claim("shop/files"); got != c.want {
				t.Errorf("volume of the claim: got %q, want %q", got, c.want)
			}
			volume := object(t, dynamic)
			if got := b.Omits(&volume, false); got != c.omits {
				t.Errorf("omitted: got %t, want %t", got, c.omits)
			}
		})
	}
}

// The provisioner deletes a volume with its claim, unless it is to be kept.
func TestBinding_Omits_Deletion(t *testing.T) {
	for policy, want := range map[string]bool{"Delete": true, "Retain": false} {
		text := "{apiVersion: v1, kind: PersistentVolume, metadata: {name: v}, spec: {persistentVolumeReclaimPolicy: " + policy + ", claimRef: {namespace: shop, name: files}}}"
		b := NewBinding()
		b.Add(event{applied: []string{text}}.decode(t))
		b.Add(event{deleted: []string{text}}.decode(t))
		volume := object(t, text)
		if got := b.Omits(&volume, true); got != want {
			t.Errorf("%s: the deletion is omitted: %t, want %t", policy, got, want)
		}
	}
}
