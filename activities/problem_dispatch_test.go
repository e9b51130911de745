package activities

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/calendar"
	"github.com/optria-iq/optria/internal/optimize/dispatch"
	"github.com/optria-iq/optria/internal/runs"
)

// ids that the tests name things by.
var (
	siteA, siteB = uuid.UUID{1}, uuid.UUID{2}
	pump         = db.Asset{ID: uuid.UUID{3}, SiteID: siteA, SkillID: &skillRot, Outdoor: true, WeibullBeta: 2, WeibullEtaDays: 1000, AgeDays: 500,
		AgeAsOf: time.Date(2026, 7, 5, 0, 0, 0, 0, time.UTC)}
	skillRot = uuid.UUID{4}
	crewRot  = uuid.UUID{5}
)

// summer is a plant with one pump, two technicians and two sites in a week of
// July, from Sunday 5 to Saturday 11.
func summer(t *testing.T) *service {
	t.Helper()
	cal, err := calendar.New(calendar.SaudiStandard())
	require.NoError(t, err)
	start := date(t, "2026-07-05")
	home := siteA
	technician := func(n byte) db.ListTechniciansRow {
		return db.ListTechniciansRow{ID: uuid.UUID{6, n}, CrewID: crewRot, SkillID: skillRot, HomeSiteID: &home, CostSarPerHour: 100, OvertimeHours: 2}
	}
	p := &plant{calendar: cal, sites: []db.Site{{ID: siteA, Code: "A"}, {ID: siteB, Code: "B", MiddayBanExempt: true}}, assets: []db.Asset{pump},
		skills: []db.Skill{{ID: skillRot, Code: "rotating"}}, staff: []db.ListTechniciansRow{technician(1), technician(2)},
		costs:  map[uuid.UUID][]db.CostModel{pump.ID: {{Kind: db.CostFailure, DirectCost: 1e6, LossPerHour: 5000}, {Kind: db.CostMaintenance, DirectCost: 1e5, OutageHours: 24}}},
		scores: map[uuid.UUID]db.ListPlanningScoresRow{}}
	s := &service{plant: p, horizon: newHorizon(cal, start, 7), shifts: map[uuid.UUID]calendar.Shift{}, levels: map[uuid.UUID][]dispatch.Skill{},
		travel: map[[2]uuid.UUID]float64{{siteA, siteB}: 40}}
	s.origin = time.Date(2026, 7, 5, 0, 0, 0, 0, cal.Location())
	s.end = s.origin.AddDate(0, 0, 7)
	return s
}

func (s *service) problem(t *testing.T) dispatch.Input {
	t.Helper()
	in, err := s.dispatch(request{now: s.origin})
	require.NoError(t, err)
	require.NoError(t, in.Validate())
	return in
}

func TestPeopleWorkByCalendarOrRota(t *testing.T) {
	t.Parallel()
	s := summer(t)
	night := uuid.UUID{9}
	s.shifts[night] = calendar.StandbyNight(calendar.DateOf(s.origin))
	s.staff[1].ShiftID = &night
	s.levels[s.staff[1].ID] = []dispatch.Skill{{ID: "skill:electrical", Level: 2}}
	people := s.technicians()
	require.Len(t, people, 2)
	require.Len(t, people[0].Shifts, 5, "Sunday to Thursday")
	require.Equal(t, dispatch.Span{From: 7 * 60, To: 15 * 60}, people[0].Shifts[0])
	require.Equal(t, []dispatch.Skill{{ID: "skill:rotating", Level: ownLevel}}, people[0].Skills)
	require.Len(t, people[1].Shifts, 4, "four nights on")
	require.Equal(t, dispatch.Span{From: 18 * 60, To: 30 * 60}, people[1].Shifts[0])
	require.ElementsMatch(t, []dispatch.Skill{{ID: "skill:electrical", Level: 2}, {ID: "skill:rotating", Level: ownLevel}}, people[1].Skills)
	s.staff[0].HomeSiteID = nil
	require.Len(t, s.technicians(), 1, "without a home nobody is sent")
	require.Equal(t, []float64{0, 40}, s.roads(siteA))
	require.Equal(t, []float64{unreachable, 0}, s.roads(siteB), "nobody has measured the way back")
}

func TestCalendarClosesHours(t *testing.T) {
	t.Parallel()
	s := summer(t)
	s.embargoes = []db.Embargo{{ID: uuid.UUID{8}, SiteID: &pump.SiteID, FromDay: date(t, "2026-07-06"), ToDay: date(t, "2026-07-07")}}
	byKind := map[string]int{}
	for _, c := range s.closures() {
		byKind[c.Kind+c.SiteID[:2]]++
		switch c.Kind {
		case string(calendar.Midday):
			require.Equal(t, siteA.String(), c.SiteID, "the other site is exempt")
			require.True(t, c.Outdoor)
			require.InDelta(t, 180, c.To-c.From, 0)
		case string(calendar.FridayPrayer):
			require.True(t, c.NoStart)
		case string(calendar.OutageBan):
			require.Equal(t, []float64{1440, 3 * 1440}, []float64{c.From, c.To})
		}
	}
	require.Equal(t, map[string]int{"midday_ban01": 7, "friday_no_start01": 1, "friday_no_start02": 1, "embargo01": 1}, byKind)
}

func TestRequestsBecomeJobs(t *testing.T) {
	t.Parallel()
	s := summer(t)
	night := s.origin.Add(21 * time.Hour)
	s.requests = []db.ListOpenWorkRequestsRow{
		{ID: uuid.UUID{11}, AssetID: pump.ID, Kind: emergency, SkillCode: "rotating", SkillLevel: 3, Hours: 3, CrewSize: 2, Earliest: night, Latest: night.Add(2 * time.Hour)},
		{ID: uuid.UUID{12}, AssetID: pump.ID, Kind: "corrective", SkillCode: "rotating", SkillLevel: 1, Hours: 2, CrewSize: 1, Earliest: night.AddDate(0, 0, -9), Latest: night.AddDate(0, 0, -9).Add(time.Hour)},
		{ID: uuid.UUID{13}, AssetID: uuid.New(), Kind: "corrective", SkillCode: "rotating", Hours: 2, CrewSize: 1, Earliest: night, Latest: night.Add(time.Hour)},
	}
	in := s.problem(t)
	require.Len(t, in.Jobs, 2, "an archived asset is not visited")
	urgent, overdue := in.Jobs[0], in.Jobs[1]
	require.Equal(t, "request:"+s.requests[0].ID.String(), urgent.ID)
	require.Equal(t, []dispatch.Span{{From: 21 * 60, To: 7 * 1440}}, urgent.Windows, "late is better than never")
	require.InDelta(t, 23*60, *urgent.Due, 0)
	require.ElementsMatch(t, []string{"embargo", "midday_ban", "friday_no_start"}, urgent.Exempt)
	require.InDelta(t, 5000, urgent.PrioritySAR, 0, "what the stopped asset loses per hour")
	require.InDelta(t, 21*60, overdue.Windows[0].From, 0, "its time of day, on the first day")
	require.InDelta(t, 22*60, *overdue.Due, 0)
	require.InDelta(t, hazardPerHour(weibullOf(pump), ageAt(pump, s.horizon.start))*1e6, overdue.PrioritySAR, 1)
}

func TestOrdersBecomeVisits(t *testing.T) {
	t.Parallel()
	s := summer(t)
	order := db.ListDispatchOrdersRow{ID: uuid.UUID{21}, AssetID: pump.ID, StartOn: date(t, "2026-07-08"), DueOn: date(t, "2026-07-11"), Status: "open",
		TechnicianID: &s.staff[0].ID, CrewHours: 24}
	s.orders = []db.ListDispatchOrdersRow{order}
	in := s.problem(t)
	require.Len(t, in.Jobs, 2, "Wednesday and Thursday; then the weekend")
	require.Equal(t, 2, in.Jobs[0].CrewSize)
	require.Equal(t, []float64{7 * 60, 5 * 60}, []float64{in.Jobs[0].Duration, in.Jobs[1].Duration})
	require.Equal(t, []string{in.Jobs[0].ID}, in.Jobs[1].After)
	require.InDelta(t, 3*1440, in.Jobs[0].Windows[0].From, 0)
	require.InDelta(t, 4*1440, *in.Jobs[0].Due, 0)
	require.Empty(t, in.Jobs[0].Exempt, "an outage waits for the embargo")
	require.Equal(t, dispatch.Stop{TechnicianID: s.staff[0].ID.String(), JobID: in.Jobs[0].ID, Start: 3*1440 + 7*60}, in.Published[0])

	s.orders[0].StartOn, s.orders[0].DueOn, s.orders[0].Status = date(t, "2026-06-01"), date(t, "2026-06-02"), orderInProgress
	in = s.problem(t)
	require.Zero(t, in.Jobs[0].Windows[0].From, "an overdue order begins at once")
	require.Equal(t, []string{"embargo"}, in.Jobs[0].Exempt, "the asset is out already")
}

func TestAlertsBecomeInspections(t *testing.T) {
	t.Parallel()
	s := summer(t)
	s.alerts = []db.ListInspectionAlertsRow{{ID: uuid.UUID{31}, AssetID: &pump.ID, Severity: 5, RaisedAt: s.origin.Add(9 * time.Hour)}}
	in := s.problem(t)
	require.Len(t, in.Jobs, 1)
	require.InDelta(t, 33*60, *in.Jobs[0].Due, 0, "a severe one within a day")
	require.Equal(t, []dispatch.Skill{{ID: "skill:rotating", Level: inspectionLevel}}, in.Jobs[0].Skills)
	s.orders = []db.ListDispatchOrdersRow{{ID: uuid.UUID{21}, AssetID: pump.ID, StartOn: s.horizon.start, DueOn: s.horizon.start, CrewHours: 5}}
	require.Len(t, s.problem(t).Jobs, 1, "whoever is sent looks at it anyway")
}

func TestDispatchWithoutWorkOrPeopleSaysSo(t *testing.T) {
	t.Parallel()
	s := summer(t)
	_, err := s.dispatch(request{now: s.origin})
	require.ErrorContains(t, err, KeyNoJobs)
	s.alerts = []db.ListInspectionAlertsRow{{ID: uuid.UUID{31}, AssetID: &pump.ID, Severity: 5, RaisedAt: s.origin}}
	_, err = s.dispatch(request{now: s.origin, constraints: runs.Constraints{SiteIDs: []uuid.UUID{siteB}}})
	require.ErrorContains(t, err, KeyNoJobs, "other sites only")
	s.staff = nil
	_, err = s.dispatch(request{now: s.origin})
	require.ErrorContains(t, err, KeyNoTechnicians)
}
