package sap

import (
	"context"
	"fmt"
	"time"

	"github.com/optria-iq/optria/internal/connector"
)

// assetSets are read parents first: locations, then what is installed there.
func assetSets() []set {
	changed := func(since time.Time) string {
		// A record that was never changed carries no time of change: what was
		// created since is found by its day.
		return "(LastChangeDateTime ge " + instantLiteral(since) + " or CreationDate ge " + dayLiteral(since) + ")"
	}
	return []set{
		{service: locationService, name: "FunctionalLocation", key: "FunctionalLocation", share: 1, changed: changed,
			fields: "FunctionalLocation,FunctionalLocationName,FunctionalLocationLabelName,SuperiorFunctionalLocation,TechnicalObjectType," +
				"AssetManufacturerName,ManufacturerPartTypeName,ManufacturerSerialNumber,MaintenancePlant,CostCenter,ABCIndicator,OperationStartDate," +
				"AcquisitionValue,Currency,FuncnlLocIsMarkedForDeletion,FuncnlLocIsDeleted,FuncnlLocIsDeactivated,LastChangeDateTime"},
		{service: equipmentService, name: "Equipment", key: "Equipment", share: 1, changed: changed,
			// Former periods of use are records of their own; the present one
			// has no end.
			fixed: "ValidityEndDate eq datetime'9999-12-31T00:00:00'",
			fields: "Equipment,EquipmentName,TechnicalObjectType,AssetManufacturerName,ManufacturerPartTypeName,ManufacturerSerialNumber," +
				"MaintenancePlant,CostCenter,ABCIndicator,OperationStartDate,AcquisitionValue,Currency,FunctionalLocation,SuperordinateEquipment," +
				"TechnicalObjectSortCode,EquipmentIsMarkedForDeletion,EquipmentIsInactive,LastChangeDateTime"},
	}
}

// ReadAssets reads functional locations, then equipment.
func (c *SAPConnector) ReadAssets(ctx context.Context, request connector.RecordRequest) (connector.AssetPage, error) {
	sets := assetSets()
	which, entities, cursor, err := c.page(ctx, sets, request)
	if err != nil {
		return connector.AssetPage{}, err
	}
	page := connector.AssetPage{Records: make([]connector.AssetRecord, 0, len(entities)), Cursor: cursor}
	for _, e := range entities {
		r := &record{entity: e, zone: c.zone}
		var asset connector.AssetRecord
		if sets[which].service == locationService {
			asset = r.location()
		} else {
			asset = r.equipment()
		}
		if r.err != nil {
			return connector.AssetPage{}, fmt.Errorf("read %s %q: %w", asset.Kind, asset.ID, r.err)
		}
		page.Records = append(page.Records, asset)
	}
	return page, nil
}

// object reads what equipment and functional locations have in common.
func (r *record) object() connector.AssetRecord {
	return connector.AssetRecord{
		Class: r.text("TechnicalObjectType"), Manufacturer: r.text("AssetManufacturerName"), Model: r.text("ManufacturerPartTypeName"),
		Serial: r.text("ManufacturerSerialNumber"), Plant: r.text("MaintenancePlant"), CostCenter: r.text("CostCenter"),
		Criticality: r.text("ABCIndicator"), InstalledOn: r.instant("OperationStartDate"), ChangedAt: r.instant("LastChangeDateTime"),
		AcquisitionIn: r.text("Currency"), Acquisition: r.decimal("AcquisitionValue"),
	}
}

func (r *record) location() connector.AssetRecord {
	asset := r.object()
	asset.Kind, asset.ID = connector.FunctionalLocation, r.key("FunctionalLocation")
	asset.Name, asset.ParentID = r.text("FunctionalLocationName"), r.text("SuperiorFunctionalLocation")
	asset.Inactive = r.flag("FuncnlLocIsMarkedForDeletion") || r.flag("FuncnlLocIsDeleted") || r.flag("FuncnlLocIsDeactivated")
	// The label is what people know a location by when the plant has several
	// ways of numbering.
	asset.Tag = firstOf(r.text("FunctionalLocationLabelName"), asset.ID)
	return asset
}

func (r *record) equipment() connector.AssetRecord {
	asset := r.object()
	asset.Kind, asset.ID = connector.Equipment, padded(r.key("Equipment"), equipmentLength)
	asset.Name = r.text("EquipmentName")
	asset.ParentID = firstOf(padded(r.text("SuperordinateEquipment"), equipmentLength), r.text("FunctionalLocation"))
	asset.Inactive = r.flag("EquipmentIsMarkedForDeletion") || r.flag("EquipmentIsInactive")
	// The technical identification number is the field for the tag on the
	// plant's drawings.
	asset.Tag = r.text("TechnicalObjectSortCode")
	return asset
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
