package e2e

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/access"
	"github.com/optria-iq/optria/internal/testkit"
)

// operator is the tenant whose people use the browser.
const operator = "ARAMCO_DEMO"

// visitor is a person at the browser, who only uses what the page shows.
type visitor struct {
	*testing.T
	stack *stack
	tab   *testkit.Tab
}

// TestMainJobInTheBrowser goes from sign-in to finished work orders, the first
// half as the engineer, the second as the admin, in both languages.
func TestMainJobInTheBrowser(t *testing.T) {
	s := running(t)
	for _, lang := range []string{"ar", "en"} {
		t.Run(lang, func(t *testing.T) {
			v := visitor{t, s, testkit.Browser(t)}
			v.does(chromedp.EmulateViewport(1440, 1000), chromedp.Navigate(s.base+"/?lang="+lang))
			require.Equal(t, lang, v.text(`return document.documentElement.lang`))

			v.signsIn(access.OptimizationEng)
			v.runsScenario()
			planned := v.proposesBalanced()
			v.signsOut()

			v.signsIn(access.TenantAdmin)
			v.approvesAndReleases()
			v.findsWorkOrders(planned)
			v.finishesFirstWorkOrder()
			require.Empty(t, v.tab.ConsoleErrors())
		})
	}
}

func (v visitor) does(steps ...chromedp.Action[chromedp.Void]) {
	v.Helper()
	require.NoError(v, chromedp.Do(v.tab, steps...))
}

// clicks waits for an element and clicks it.
func (v visitor) clicks(selector string) {
	v.Helper()
	require.NoError(v, chromedp.Do(v.tab, chromedp.WaitVisible(selector), chromedp.Click(selector)), selector)
}

// leads clicks an element and waits until the browser is on a new page whose
// address matches, complete. It returns the last segment of the path.
func (v visitor) leads(selector, pattern string) string {
	v.Helper()
	v.does(chromedp.Evaluate[chromedp.Void](`document.body.dataset.left = "soon"`))
	v.clicks(selector)
	want := regexp.MustCompile("^" + pattern + "$")
	path := ""
	await(v.T, 30*time.Second, "page "+pattern+" after "+selector, func() bool {
		state, err := chromedp.Run(v.tab, chromedp.Evaluate[string](`[document.readyState, document.body?.dataset.left ?? "", location.pathname].join(" ")`))
		if err != nil {
			return false // between two pages
		}
		rest, arrived := strings.CutPrefix(state, "complete  ")
		path = rest
		return arrived && want.MatchString(path)
	})
	return path[strings.LastIndexByte(path, '/')+1:]
}

// text evaluates the body of a function that returns text.
func (v visitor) text(body string) string {
	v.Helper()
	out, err := chromedp.Run(v.tab, chromedp.Evaluate[string]("(() => {"+body+"})()"))
	require.NoError(v, err, body)
	return out
}

func (v visitor) signsIn(role access.Role) {
	v.Helper()
	v.leads(`a[href^="/login"]`, "/login")
	v.does(chromedp.SendKeys(`input[name=user]`, v.stack.email(v.T, operator, role)), chromedp.SendKeys(`input[name=password]`, v.stack.password))
	v.leads(`form[action="/login"] button`, "/dashboard")
}

func (v visitor) signsOut() {
	v.Helper()
	v.clicks(`header details.menu summary`)
	v.leads(`form[action="/logout"] button`, "/")
}

// follows uses the navigation.
func (v visitor) follows(href string) {
	v.Helper()
	v.leads(`aside.side a[href="`+href+`"]`, href)
}

// runsScenario fills the wizard in and waits on the monitor until the page
// itself offers the results.
func (v visitor) runsScenario() {
	v.Helper()
	v.follows("/scenarios")
	v.leads(`main a[href="/scenarios/new"]`, "/scenarios/new")
	v.does(chromedp.Click(`input[name=horizon][value="30"]`), chromedp.SetValue(`select[name=limit]`, "10"))
	run := v.leads(`form[action="/scenarios/new"] button.btn-primary`, "/runs/[0-9a-f-]{36}")
	v.does(chromedp.WaitVisible(`#run-status svg`)) // the search is drawn while it goes on
	v.leads(`#run-status a[href="/runs/`+run+`/results"]`, "/runs/"+run+"/results")
}

var share = regexp.MustCompile(`(\d+(?:\.\d+)?)\s*[%٪]`)

// proposesBalanced checks what the results say and puts the balanced scenario
// forward. It returns how many actions that plan has.
func (v visitor) proposesBalanced() int {
	v.Helper()
	require.Equal(v, "3", v.text(`return String(document.querySelectorAll("main article").length)`))
	v.leads(`main article a[href*="scenario=balanced"]`, "/runs/[0-9a-f-]{36}/results")
	card := `const card = document.querySelector("main article:has([aria-current])"); `
	certificate := v.text(card + `return card.lastElementChild.innerText`)
	gap := share.FindStringSubmatch(certificate)
	require.NotNil(v, gap, "the card shows no gap: %s", certificate)
	percent, err := strconv.ParseFloat(gap[1], 64)
	require.NoError(v, err)
	require.Less(v, percent, 100.0)
	n := number(v, v.text(card+`return [...card.querySelectorAll("dt")].find(x => ["Jobs planned", "أعمال مقررة"].includes(x.innerText.trim()))?.nextElementSibling.innerText ?? ""`))
	require.Positive(v, n)

	v.leads(`main a[href*="/propose?scenario=balanced"]`, "/runs/[0-9a-f-]{36}/propose")
	v.leads(`main form[action$="/propose"] button.btn-primary`, "/plans/[0-9a-f-]{36}")
	require.Empty(v, v.text(`return document.querySelector("button[name=kind][value=approved]")?.innerText ?? ""`), "the proposer must not be offered to approve")
	return n
}

// number reads the digits of a text, which may carry marks of direction.
func number(t require.TestingT, text string) int {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
	n, err := strconv.Atoi(digits)
	require.NoError(t, err, "%q", text)
	return n
}

// approvesAndReleases finds the plan in the inbox, decides and releases.
func (v visitor) approvesAndReleases() {
	v.Helper()
	v.follows("/plans")
	plan := v.leads(`#plans tbody a[href^="/plans/"]`, "/plans/[0-9a-f-]{36}")
	v.leads(`button[name=kind][value=approved]`, "/plans/"+plan)
	v.clicks(`main [data-dialog=release]`)
	v.leads(`dialog#release form button.btn-primary`, "/plans/"+plan)
}

// findsWorkOrders opens the list until the release has written it, and counts
// the orders of the newest plan over the pages of the list.
func (v visitor) findsWorkOrders(planned int) {
	v.Helper()
	plan := v.text(`return location.pathname.split("/").at(-1)`)
	await(v.T, 30*time.Second, "work orders are listed", func() bool {
		v.follows("/work-orders")
		return v.text(`return String(document.querySelectorAll('#orders a[href="/plans/`+plan+`"]').length)`) != "0"
	})
	v.follows("/plans")
	v.leads(`main a[href="/plans?tab=all"]`, "/plans")
	v.leads(`#plans tbody a[href="/plans/`+plan+`"]`, "/plans/"+plan)
	v.leads(`main a[href="/work-orders?plan=`+plan+`"]`, "/work-orders")
	found := 0
	for page := 1; ; page++ {
		found += number(v, v.text(`return String(document.querySelectorAll("#orders tbody tr").length)`))
		next := `#orders .pager a[href*="page=` + strconv.Itoa(page+1) + `"]`
		if v.text(`return document.querySelector('`+next+`')?.href ?? ""`) == "" {
			break
		}
		v.leads(next, "/work-orders")
	}
	require.Equal(v, planned, found, "one work order per planned action")
}

// finishesFirstWorkOrder begins one order and ends it with what was found.
func (v visitor) finishesFirstWorkOrder() {
	v.Helper()
	action := v.text(`return new URL(document.querySelector('#orders form[action$="/start"]').action).pathname`)
	order := strings.TrimSuffix(action, "/start")
	v.leads(`#orders form[action="`+order+`/start"] button`, "/work-orders")
	v.leads(`#orders a[href="`+order+`#findings"]`, order)
	v.does(chromedp.Click(`#findings [name=found][value=as_expected]`))
	v.leads(`#findings form[action="`+order+`/done"] button.btn-primary`, order)
	v.follows("/work-orders")
	require.Empty(v, v.text(`return document.querySelector('#orders form[action="`+order+`/start"]')?.action ?? ""`))
	v.does(chromedp.SetValue(`#orders select[name=status]`, "done")) // the filter sends itself
	await(v.T, 15*time.Second, "the finished order is listed", func() bool {
		found, err := chromedp.Run(v.tab, chromedp.Evaluate[bool](`location.search.includes("status=done") && document.querySelector('#orders a[href="`+order+`"]') !== null`))
		return err == nil && found
	})
}
