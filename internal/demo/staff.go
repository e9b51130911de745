package demo

import (
	"fmt"
	"strings"
)

// staff adds skills, crews, technicians, users and service accounts.
func (b *builder) staff(t *Tenant, extra tenantScript) {
	for _, skill := range extra.Skills {
		skill.ID = identify(t.Code, "skill", skill.Code)
		t.Skills = append(t.Skills, skill)
		b.crewUp(t, skill)
	}
	for _, person := range extra.People {
		t.People = append(t.People, Person{ID: identify(t.Code, "user", person.Mailbox), Role: person.Role, Name: person.Text,
			Email: person.Mailbox + "@" + t.Domain})
	}
	for _, code := range extra.ServiceAccounts {
		t.ServiceAccounts = append(t.ServiceAccounts, ServiceAccount{ID: identify(t.Code, "service account", code), Code: code})
	}
}

// crewUp forms the crews of a skill and spreads its technicians over them.
func (b *builder) crewUp(t *Tenant, skill Skill) {
	first := len(t.Crews)
	for i := range skill.Crews {
		code := fmt.Sprintf("%s-%d", strings.ReplaceAll(skill.Code, "_", "-"), i+1)
		t.Crews = append(t.Crews, Crew{ID: identify(t.Code, "crew", code), Code: code, SkillCode: skill.Code,
			Name: Text{EN: fmt.Sprintf("%s crew %d", skill.EN, i+1), AR: fmt.Sprintf("طاقم %s %d", skill.AR, i+1)}})
	}
	for i := range skill.Technicians {
		t.Technicians = append(t.Technicians, Technician{
			ID:     identify(t.Code, "technician", skill.Code, fmt.Sprint(i)),
			CrewID: t.Crews[first+i%skill.Crews].ID, SkillCode: skill.Code, SARPerHour: skill.SARPerHour,
			Name: b.invent(29*len(t.Code) + len(t.Technicians)),
		})
	}
}

// invent returns the i-th invented name. The numbers of given and family names
// share no divisor, so the pairs do not repeat within a tenant.
func (b *builder) invent(i int) Text {
	given := b.org.Names.Given[i%len(b.org.Names.Given)]
	family := b.org.Names.Family[i%len(b.org.Names.Family)]
	return Text{EN: given.EN + " " + family.EN, AR: given.AR + " " + family.AR}
}

// restrict adds what planning has to respect, and the preset scenarios.
func (t *Tenant) restrict(extra tenantScript) {
	for _, embargo := range extra.Embargoes {
		embargo.ID = identify(t.Code, "embargo", embargo.Code)
		t.Embargoes = append(t.Embargoes, embargo)
	}
	for _, resource := range extra.Resources {
		resource.ID = identify(t.Code, "resource", resource.Code)
		t.Resources = append(t.Resources, resource)
	}
	for _, group := range extra.Groups {
		group.ID = identify(t.Code, "group", group.Code)
		t.Groups = append(t.Groups, group)
	}
	for _, preset := range extra.Presets {
		preset.ID = identify(t.Code, "preset", preset.Code)
		t.Presets = append(t.Presets, preset)
	}
}
