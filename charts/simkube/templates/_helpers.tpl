{{/* The label of everything that is the chart's. */}}
{{- define "simkube.labels" -}}
app.kubernetes.io/part-of: simkube
{{- end }}

{{/* An image by repository, and tag or else the chart's appVersion, or digest. Takes [image, root]. */}}
{{- define "simkube.image" -}}
{{- $image := index . 0 -}}
{{- $root := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* The images that drivers may have: those of the values, or else sk-driver beside sk-ctrl. Takes the values of ctrl. */}}
{{- define "simkube.driverImages" -}}
{{- if .allowedDriverImages -}}
{{ join "," .allowedDriverImages }}
{{- else -}}
{{ regexReplaceAll "[^/]*$" .image.repository "sk-driver" }}
{{- end -}}
{{- end }}

{{/* A binding, of kind RoleBinding or ClusterRoleBinding, to a role of the same name. Takes a dict: kind, name, namespace, role, subjects. */}}
{{- define "simkube.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "simkube.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ trimSuffix "Binding" .kind }}
  name: {{ .role | default .name }}
subjects:
  {{- range .subjects }}
  - kind: ServiceAccount
    name: {{ index . 1 }}
    namespace: {{ index . 0 }}
  {{- end }}
{{- end }}

{{/* What keeps pods of the chart where they can run, and from doing what they need not. */}}
{{- define "simkube.pod" -}}
automountServiceAccountToken: true
enableServiceLinks: false
nodeSelector:
  {{- toYaml .nodeSelector | nindent 2 }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
affinity:
  nodeAffinity: # nothing runs on simulated nodes
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            - {key: type, operator: NotIn, values: [virtual]}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "simkube.securityContext" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
