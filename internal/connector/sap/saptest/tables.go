package saptest

const equipmentTable = `
Equipment s18 k
ValidityEndDate d k
ValidityEndTime t
ValidityStartDate d
EquipmentName s40
EquipmentCategory s1
TechnicalObjectType s10
AuthorizationGroup s4
GrossWeight n3
GrossWeightUnit s3
SizeOrDimensionText s18
InventoryNumber s25
OperationStartDate d
AcquisitionValue n3
Currency s5
AcquisitionDate d
AssetManufacturerName s30
ManufacturerPartTypeName s20
ManufacturerCountry s3
ConstructionYear s4
ConstructionMonth s2
ManufacturerPartNmbr s30
ManufacturerSerialNumber s30
MaintenancePlant s4
AssetLocation s10
AssetRoom s8
PlantSection s3
WorkCenter s8
WorkCenterInternalID s8
WorkCenterPlant s4
ABCIndicator s1
MaintObjectFreeDefinedAttrib s30
CompanyCode s4
BusinessArea s4
MasterFixedAsset s12
FixedAsset s4
CostCenter s10
ControllingArea s4
WBSElementExternalID s24
SettlementOrder s12
MaintenancePlanningPlant s4
MaintenancePlannerGroup s3
MainWorkCenter s8
MainWorkCenterInternalID s8
MainWorkCenterPlant s4
CatalogProfile s9
FunctionalLocation s30
FunctionalLocationLabelName s40
FunctionalLocationName s40
EquipInstallationPositionNmbr s4
SuperordinateEquipment s18
TechnicalObjectSortCode s25
ConstructionMaterial s40
Material s40
SerialNumber s18
UniqueItemIdentifier s72
CreationDate d
CreatedByUser s12
LastChangedByUser s12
LastChangeDateTime i
NextEquipUsagePeriodSqncNmbr s3
MaintObjectLocAcctAssgmtNmbr s12
MaintObjectInternalID s22
EquipUsagePeriodSequenceNumber s3
EquipmentIsAtCustomer b
EquipmentIsAvailable b
EquipmentIsInWarehouse b
EquipmentIsAssignedToDelivery b
EquipmentIsMarkedForDeletion b
EquipmentIsInstalled b
EquipIsAllocToSuperiorEquip b
EquipmentIsInactive b
EquipHasSubOrdinateEquipment s1
`

const locationTable = `
FunctionalLocation s30 k
FunctionalLocationLabelName s40
FunctionalLocationName s40
FuncLocationStructure s5
FunctionalLocationCategory s1
SuperiorFunctionalLocation s30
SuperiorFuncnlLocLabelName s40
TechnicalObjectType s10
GrossWeight n3
GrossWeightUnit s3
OperationStartDate d
InventoryNumber s25
AcquisitionValue n3
Currency s5
AcquisitionDate d
AssetManufacturerName s30
ManufacturerPartNmbr s30
ManufacturerCountry s3
ManufacturerPartTypeName s20
ConstructionMonth s2
ConstructionYear s4
ManufacturerSerialNumber s30
MaintenancePlant s4
AssetLocation s10
AssetRoom s8
PlantSection s3
WorkCenter s8
WorkCenterInternalID s8
WorkCenterPlant s4
ABCIndicator s1
MaintObjectFreeDefinedAttrib s30
CompanyCode s4
BusinessArea s4
MasterFixedAsset s12
FixedAsset s4
CostCenter s10
ControllingArea s4
WBSElementExternalID s24
SettlementOrder s12
ConstructionMaterial s40
MaintenancePlannerGroup s3
MaintenancePlanningPlant s4
MainWorkCenterPlant s4
MainWorkCenter s8
MainWorkCenterInternalID s8
CatalogProfile s9
EquipmentInstallationIsAllowed b
OnePieceOfEquipmentIsAllowed b
FunctionalLocationHasEquipment s1
FuncnlLocHasSubOrdinateFuncLoc s1
LastChangeDateTime i
FuncnlLocIsMarkedForDeletion b
FuncnlLocIsDeleted b
FunctionalLocationIsActive b
FuncnlLocIsDeactivated b
CreationDate d
`

// orderTable is what both versions of the order service have.
const orderTable = `
MaintenanceOrder s12 k c
MaintOrderRoutingNumber s10
MaintenanceOrderType s4 c
MaintenanceOrderDesc s40 cu
MaintOrdBasicStartDateTime i cu
MaintOrdBasicEndDateTime i cu
MaintOrdBasicStartDate d
MaintOrdBasicStartTime t
MaintOrdBasicEndDate d
MaintOrdBasicEndTime t
MaintOrdSchedldBscStrtDateTime i
MaintOrdSchedldBscEndDateTime i
ScheduledBasicStartDate d
ScheduledBasicStartTime t
ScheduledBasicEndDate d
ScheduledBasicEndTime t
MaintOrderReferenceDateTime i
MaintOrderReferenceDate d
MaintOrderReferenceTime t
MaintenanceNotification s12 cu
OrdIsNotSchedldAutomatically s1 cu
ControllingArea s4
MainWorkCenterInternalID s8 cu
MainWorkCenterTypeCode s2
MainWorkCenter s8 cu
MainWorkCenterPlant s4 cu
WorkCenterInternalID s8 cu
WorkCenterTypeCode s2
WorkCenter s8 cu
MaintenancePlanningPlant s4 c
MaintenancePlant s4 cu
Assembly s40 cu
MaintOrdProcessPhaseCode s2
MaintOrdProcessSubPhaseCode s4
BusinessArea s4 cu
ReferenceElement s40 cu
FunctionalArea s16 cu
AdditionalDeviceData s40 cu
Equipment s18 cu
EquipmentName s40
FunctionalLocation s30 cu
MaintenanceOrderPlanningCode s1 cu
MaintenancePlannerGroup s3 cu
MaintenanceActivityType s3 cu
MaintPriority s1 cu
MaintPriorityType s2
OrderProcessingGroup s2
ProfitCenter s10 cu
ResponsibleCostCenter s10 cu
MaintenanceRevision s8 cu
SerialNumber s18 cu
SuperiorProjectNetwork s12
OperationSystemCondition s1 cu
WBSElementInternalID s8 cu
ControllingObjectClass s2 cu
MaintenanceOrderInternalID s22
MaintenanceObjectList l
MaintObjectLocAcctAssgmtNmbr s12
AssetLocation s10 cu
AssetRoom s8 cu
PlantSection s3 cu
ABCIndicator s1 cu
MaintObjectFreeDefinedAttrib s30 cu
BasicSchedulingType s1 cu
LatestAcceptableCompletionDate d cu
MaintOrdPersonResponsible s12 cu
LastChangeDateTime i
CreatedByUser s12
LocAcctAssgmtWBSElmntIntID s8 cu
TechnicalObject s40 h
TechnicalObjectLabel s40 h
TechObjIsEquipOrFuncnlLoc s20 h
SystemStatusText s40 h
UserStatusText s40 h
`

// orderExtra is what only the second version has.
const orderExtra = `
MainWorkCompletedDateTime i
CompanyCode s4
CostCenter s10 cu
CostingSheet s6 cu
Currency s5
Product s18 cu
WBSElement s24 cu
ProjectInternalID s8 cu
LastChangeByUser s12
MaintOrderCreationDateTime i
OrderHasLongText b
MaintenancePlan s12
MaintenanceCall g
MaintenanceItem s16
LeadingOrder s12
TaskListType s1
TaskListGroup s8
TaskListGroupCounter s2
ControllingSettlementProfile s6 cu
MaintOrderProcessingContext s2 c
`

const operationTable = `
MaintenanceOrder s12 k
MaintenanceOrderOperation s4 k c
MaintenanceOrderSubOperation s4 k c
OperationControlKey s4 cu
OperationWorkCenterInternalID s8 cu
WorkCenter s8 cu
Plant s4 cu
OperationStandardTextCode s7 cu
OperationDescription s40 cu
Language s2
NumberOfTimeTickets n0
OperationSupplier s10 cu
CostElement s10 cu
MaterialGroup s9 cu
NumberOfCapacities g cu
OperationWorkPercent g cu
OperationCalculationControl s1 cu
ActivityType s6 cu
OperationSystemCondition s1 cu
OperationPersonResponsible s8 cu
MaintOrderOperationDuration n1 cu
MaintOrdOperationDurationUnit s3 cu
OpActualExecutionStartDateTime i
OpActualExecutionEndDateTime i
MaintOrdOperationWorkDuration n1 cu
MaintOrdOpWorkDurationUnit s3 cu
MaintOrdOpConstraintStrtDteTme i cu
MaintOrdOpCstrtFinishDteTme i cu
Equipment s18 cu
FunctionalLocation s30 cu
MaintenanceActivityType s3 cu
`

const notificationTable = `
MaintenanceNotification s12 k
MaintNotifInternalID s22
NotificationText s40
MaintPriority s1
NotificationType s2
NotifProcessingPhase s1
NotifProcessingPhaseDesc s60
MaintPriorityDesc s20
CreationDate d
LastChangeTime t
LastChangeDate d
LastChangeDateTime i
CreationTime t
ReportedByUser s12
ReporterFullName s80
PersonResponsible s12
MalfunctionEffect s1
MalfunctionEffectText s40
MalfunctionStartDate d
MalfunctionStartTime t
MalfunctionEndDate d
MalfunctionEndTime t
CatalogProfile s9
NotificationCreationDate d
NotificationCreationTime t
NotificationTimeZone s6
RequiredStartDate d
RequiredStartTime t
RequiredEndDate d
RequiredEndTime t
LatestAcceptableCompletionDate d
MaintenanceObjectIsDown b
TechnicalObject s40
TechObjIsEquipOrFuncnlLoc s20
TechnicalObjectLabel s40
MaintenancePlanningPlant s4
MaintenancePlannerGroup s3
SuperiorTechnicalObject s40
SuperiorTechnicalObjectName s40
SuperiorObjIsEquipOrFuncnlLoc s20
FunctionalLocation s30
FunctionalLocationLabelName s40
TechnicalObjectDescription s40
AssetLocation s10
BusinessArea s4
CompanyCode s4
TechnicalObjectCategory s1
TechnicalObjectType s10
MainWorkCenterPlant s4
MainWorkCenter s8
MaintenancePlant s4
MaintenanceOrder s12
MaintenanceOrderType s4
MaintenanceActivityType s3
MaintObjDowntimeDurationUnit s3
MaintObjectDowntimeDuration n0
MaintenancePlan s12
MaintenanceItem s16
MaintenancePlanCallNumber g
NotificationReferenceDate d
NotificationReferenceTime t
NotificationCompletionDate d
CompletionTime t
AssetRoom s8
MaintNotifExtReferenceNumber s60
MaintNotifProcessPhaseCode s2
MaintNotifProcessSubPhaseCode s4
`
