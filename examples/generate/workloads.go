package main

import "time"

// service is a workload that runs all day: a Deployment, a StatefulSet or a DaemonSet.
type service struct {
	namespace, name, tag     string
	cpu, memory              string // requests of each pod
	minReplicas, maxReplicas int    // replicas; maxReplicas is 0 if the service is not scaled
	load                     curve  // the load by which it is scaled
	every                    time.Duration
	place                    placement
}

const (
	quarterHour = 15 * time.Minute
	halfHour    = 30 * time.Minute
)

// deployments are the stateless parts of the shop.
var deployments = []service{
	{"storefront", "web-frontend", "v5.12.0", "500m", "512Mi", 6, 30, shoppers, quarterHour, requireZoneSpread},
	{"storefront", "mobile-api", "v3.41.2", "750m", "768Mi", 6, 28, shoppers, quarterHour, requireZoneSpread},
	{"storefront", "product-catalog", "v2.8.1", "1", "1Gi", 4, 18, shoppers, quarterHour, spreadOverZones},
	{"storefront", "cart", "v4.0.7", "500m", "512Mi", 4, 16, shoppers, quarterHour, spreadOverZones},
	{"storefront", "checkout", "v6.3.0", "1", "1Gi", 4, 20, shoppers, quarterHour, requireZoneSpread},
	{"storefront", "pricing", "v1.19.4", "500m", "1Gi", 3, 12, shoppers, 20 * time.Minute, nil},
	{"storefront", "inventory", "v2.2.0", "500m", "512Mi", 3, 10, shoppers, 20 * time.Minute, nil},
	{"storefront", "wishlist", "v1.4.3", "250m", "256Mi", 2, 6, shoppers, halfHour, nil},
	{"storefront", "reviews", "v1.11.0", "500m", "512Mi", 2, 8, shoppers, halfHour, nil},
	{"storefront", "image-proxy", "v0.9.8", "1", "512Mi", 3, 14, shoppers, 20 * time.Minute, preferApart},
	{"search", "query", "v7.1.3", "2", "4Gi", 6, 24, shoppers, quarterHour, spreadOverZones},
	{"search", "autocomplete", "v2.0.1", "500m", "2Gi", 3, 12, shoppers, 20 * time.Minute, nil},
	{"search", "indexer", "v7.1.3", "2", "8Gi", 3, 0, nil, 0, preferApart},
	{"payments", "gateway", "v3.7.0", "500m", "512Mi", 4, 16, shoppers, quarterHour, requireZoneSpread},
	{"payments", "ledger", "v2.5.2", "1", "2Gi", 3, 8, shoppers, 20 * time.Minute, spreadOverZones},
	{"payments", "fraud-scoring", "v1.30.0", "2", "2Gi", 3, 14, shoppers, quarterHour, nil},
	{"payments", "invoicing", "v1.2.9", "500m", "512Mi", 2, 4, office, halfHour, nil},
	{"payments", "payouts", "v1.1.0", "500m", "512Mi", 2, 0, nil, 0, nil},
	{"recommendations", "feature-server", "v0.17.2", "2", "4Gi", 4, 14, shoppers, 20 * time.Minute, preferApart},
	{"recommendations", "ranker", "v2.30.1", "2", "4Gi", 6, 20, shoppers, quarterHour, nil},
	{"recommendations", "embeddings", "v1.6.0", "2", "8Gi", 3, 8, shoppers, halfHour, nil},
	{"identity", "auth", "v8.2.1", "500m", "256Mi", 4, 14, shoppers, quarterHour, requireZoneSpread},
	{"identity", "accounts", "v4.4.0", "500m", "512Mi", 3, 8, shoppers, halfHour, spreadOverZones},
	{"identity", "consent", "v1.0.12", "250m", "256Mi", 2, 0, nil, 0, nil},
	{"messaging", "email-sender", "v2.13.0", "250m", "256Mi", 2, 8, office, 20 * time.Minute, nil},
	{"messaging", "push-sender", "v2.9.5", "250m", "256Mi", 2, 8, shoppers, 20 * time.Minute, nil},
	{"messaging", "sms-sender", "v1.3.3", "250m", "256Mi", 2, 0, nil, 0, nil},
	{"messaging", "webhooks", "v1.22.1", "250m", "256Mi", 2, 8, office, 20 * time.Minute, nil},
	{"logistics", "orders", "v5.5.0", "1", "1Gi", 4, 14, shoppers, quarterHour, spreadOverZones},
	{"logistics", "shipping", "v2.1.8", "500m", "512Mi", 2, 8, office, 20 * time.Minute, nil},
	{"logistics", "warehouse-sync", "v1.7.1", "500m", "1Gi", 2, 0, nil, 0, nil},
	{"logistics", "route-planner", "v0.12.0", "2", "2Gi", 2, 8, office, halfHour, nil},
	{"logistics", "tracking", "v3.0.4", "500m", "512Mi", 2, 8, events, halfHour, nil},
	{"analytics", "event-collector", "v4.18.0", "1", "1Gi", 4, 16, events, quarterHour, preferApart},
	{"analytics", "stream-processor", "v2.6.3", "2", "4Gi", 4, 10, events, halfHour, nil},
	{"analytics", "dashboards", "v10.2.1", "500m", "1Gi", 2, 4, office, halfHour, nil},
	{"media", "thumbnailer", "v1.5.5", "1", "1Gi", 2, 10, shoppers, 20 * time.Minute, nil},
	{"media", "uploader", "v1.8.0", "500m", "512Mi", 2, 6, shoppers, halfHour, nil},
	{"media", "transcoder-api", "v0.4.2", "500m", "512Mi", 2, 0, nil, 0, nil},
	{"platform", "ingress", "v1.14.0", "1", "1Gi", 4, 12, shoppers, quarterHour, requireZoneSpread},
	{"platform", "config-server", "v2.0.0", "250m", "512Mi", 2, 0, nil, 0, nil},
	{"platform", "feature-flags", "v3.3.1", "500m", "256Mi", 3, 6, shoppers, halfHour, nil},
	{"platform", "gitops-controller", "v2.14.2", "500m", "1Gi", 1, 0, nil, 0, nil},
	{"support", "helpdesk", "v9.0.3", "500m", "1Gi", 2, 6, office, halfHour, nil},
	{"support", "chatbot", "v1.9.7", "1", "2Gi", 2, 8, shoppers, halfHour, nil},
	{"support", "backoffice", "v6.6.0", "500m", "1Gi", 2, 6, office, halfHour, nil},
}

// statefulSets are the stateful parts. They are not scaled.
var statefulSets = []service{
	{"storefront", "session-store", "v7.2.4", "500m", "4Gi", 3, 0, nil, 0, requireApart},
	{"search", "elasticsearch-data", "v8.17.0", "4", "16Gi", 6, 0, nil, 0, requireApart},
	{"search", "elasticsearch-master", "v8.17.0", "1", "2Gi", 3, 0, nil, 0, requireApart},
	{"payments", "payments-db", "v16.4", "4", "16Gi", 3, 0, nil, 0, requireApart},
	{"recommendations", "feature-store", "v7.2.4", "2", "8Gi", 3, 0, nil, 0, requireApart},
	{"identity", "token-cache", "v7.2.4", "500m", "2Gi", 3, 0, nil, 0, requireApart},
	{"messaging", "kafka", "v3.9.0", "4", "16Gi", 5, 0, nil, 0, requireApart},
	{"messaging", "zookeeper", "v3.9.3", "1", "2Gi", 3, 0, nil, 0, requireApart},
	{"logistics", "orders-db", "v16.4", "2", "8Gi", 3, 0, nil, 0, requireApart},
	{"analytics", "clickhouse", "v25.8", "4", "32Gi", 4, 0, nil, 0, requireApart},
	{"analytics", "query-engine", "v476", "4", "24Gi", 4, 0, nil, 0, preferApart},
	{"media", "asset-index", "v16.4", "2", "4Gi", 3, 0, nil, 0, requireApart},
	{"platform", "metrics", "v3.2.1", "4", "16Gi", 2, 0, nil, 0, requireApart},
	{"platform", "alertmanager", "v0.28.1", "100m", "128Mi", 3, 0, nil, 0, requireApart},
}

// daemonSets run on every node.
var daemonSets = []service{
	{"platform", "node-agent", "v1.9.0", "100m", "128Mi", 1, 0, nil, 0, tolerateAll},
	{"platform", "log-forwarder", "v4.0.1", "200m", "256Mi", 1, 0, nil, 0, tolerateAll},
}
