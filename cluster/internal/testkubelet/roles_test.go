package testkubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// Some pods run this test binary: roleVariable selects what it does there.
const (
	roleVariable = "SIMKUBE_KUBELET_TEST_ROLE"
	roleLister   = "lister"
	roleWebhook  = "webhook"
)

func play(role string, args []string) int {
	var err error
	switch role {
	case roleLister:
		err = listConfigMaps(args[0])
	case roleWebhook:
		err = serveWebhook(args[0], args[1], args[2])
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// listConfigMaps uses the permissions of the pod.
func listConfigMaps(namespace string) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv(clientcmd.RecommendedConfigPathEnvVar))
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	list, err := client.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{})
	if err == nil {
		fmt.Println("found", len(list.Items))
	}
	return err
}

// serveWebhook serves a webhook that labels new objects.
func serveWebhook(address, certFile, keyFile string) error {
	server := &http.Server{Addr: address, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return // healthy
		}
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		patch := admissionv1.PatchTypeJSONPatch
		review.Response = &admissionv1.AdmissionResponse{
			UID: review.Request.UID, Allowed: true, PatchType: &patch,
			Patch: []byte(`[{"op": "add", "path": "/data", "value": {"seen": "yes"}}]`),
		}
		review.Request = nil
		_ = json.NewEncoder(w).Encode(review)
	})}
	return server.ListenAndServeTLS(certFile, keyFile)
}
