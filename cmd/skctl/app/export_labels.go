package app

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
)

// labelSelectors parses the label selectors of a flag, in kubectl's syntax.
func labelSelectors(flag string, texts []string) ([]metav1.LabelSelector, error) {
	var (
		selectors []metav1.LabelSelector
		problems  []error
	)
	for _, text := range texts {
		selector, err := labelSelector(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("invalid %s %q: %w", flag, text, err))
			continue
		}
		selectors = append(selectors, selector)
	}
	return selectors, errors.Join(problems...)
}

func labelSelector(text string) (metav1.LabelSelector, error) {
	var selector metav1.LabelSelector
	parsed, err := labels.Parse(text)
	if err != nil {
		return selector, err
	}
	requirements, _ := parsed.Requirements()
	if len(requirements) == 0 {
		return selector, errors.New("must have a label, such as app=x,tier!=y")
	}
	for _, r := range requirements {
		values := r.ValuesUnsorted()
		add := func(operator metav1.LabelSelectorOperator) {
			selector.MatchExpressions = append(selector.MatchExpressions,
				metav1.LabelSelectorRequirement{Key: r.Key(), Operator: operator, Values: r.Values().List()})
		}
		switch r.Operator() {
		case selection.Equals, selection.DoubleEquals:
			if _, twice := selector.MatchLabels[r.Key()]; twice || len(values) != 1 {
				add(metav1.LabelSelectorOpIn)
				continue
			}
			if selector.MatchLabels == nil {
				selector.MatchLabels = map[string]string{}
			}
			selector.MatchLabels[r.Key()] = values[0]
		case selection.In:
			add(metav1.LabelSelectorOpIn)
		case selection.NotEquals, selection.NotIn:
			add(metav1.LabelSelectorOpNotIn)
		case selection.Exists:
			selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{Key: r.Key(), Operator: metav1.LabelSelectorOpExists})
		case selection.DoesNotExist:
			selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{Key: r.Key(), Operator: metav1.LabelSelectorOpDoesNotExist})
		default:
			return selector, fmt.Errorf("unknown operator %q", r.Operator())
		}
	}
	return selector, nil
}
